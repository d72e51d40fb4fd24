import Foundation
import Testing

/// Whole commands with OpenCL calls that fail. A run must end well with the same result, or with one clear message and
/// what was finished; it may not crash, hang, or give another result.
///
/// A choice is run, spread over all calls; `Scripts/check-faults --full` runs everything.
@Suite(.enabled(if: FaultBench.obstacle == nil, "needs a device, and a C compiler on Linux"), .timeLimit(.minutes(60)))
struct FaultMatrixTests {
  /// `CL_OUT_OF_RESOURCES`, `CL_MEM_OBJECT_ALLOCATION_FAILURE`, `CL_OUT_OF_HOST_MEMORY`, and a vendor's own.
  private static let statuses = [-5, -4, -6, -9999]
  private static let isFull = ProcessInfo.processInfo.environment["WEFT_FAULT_MATRIX"] == "full"

  /// Which faults a call that is made `count` times is given.
  private static func occurrences(_ count: Int) -> [String] {
    (1...min(5, count)).map(String.init) + (count > 5 ? ["\(count)"] : []) + ["0", "2+"]
  }

  /// What is run: everything, or of each call one injection in one or two of the commands that make it, and of each kind
  /// of callback two.
  private static func plan(_ plain: [FaultCommand: FaultBench.Trial]) -> [(FaultCommand, Fault)] {
    let commands = FaultCommand.allCases
    let calls = Set(plain.values.flatMap(\.calls.keys)).sorted()
    let kinds = ["drop", "late", "failed", "twice"]
    var plan: [(FaultCommand, Fault)] = []
    if isFull {
      for command in commands {
        for (call, count) in (plain[command]?.calls ?? [:]).sorted(by: { $0.key < $1.key }) {
          for which in occurrences(count) {
            plan += statuses.map { (command, Fault(call, which, status: $0)) }
          }
        }
        for kind in kinds { plan += ["0", "1", "2", "3"].map { (command, Fault(callback: kind, $0)) } }
      }
      return plan
    }
    // The same choice each time, another for each call.
    for (number, call) in calls.enumerated() {
      let users = commands.filter { plain[$0]?.calls[call] != nil }
      for turn in 0..<min(2, users.count) {
        let command = users[(number + turn) % users.count]
        let which = occurrences(plain[command]?.calls[call] ?? 1)
        let status = statuses[(number + 2 * turn) % statuses.count]
        plan.append((command, Fault(call, which[(number / 2 + turn) % which.count], status: status)))
      }
    }
    for (number, kind) in kinds.enumerated() {
      plan.append((commands[number % 2 == 0 ? 0 : 4], Fault(callback: kind, "0")))
      plan.append((commands[(number + 1) % 4], Fault(callback: kind, "\(1 + number % 2)")))
    }
    return plan
  }

  @Test func everyCallMayFail() async throws {
    let bench = try await FaultBench()
    var plain: [FaultCommand: FaultBench.Trial] = [:]
    for command in FaultCommand.allCases {
      // The first run leaves compiled kernels to the second.
      if command != .compiling { _ = try await bench.run(command) }
      let trial = try await bench.run(command)
      try #require(trial.run.status == 0 && !trial.result.isEmpty, "\(command): \(trial.run.errorText)")
      try #require(trial.calls.count > 15, "\(command) makes \(trial.calls.count) kinds of calls")
      #expect(trial.kept["event"] == 0, "\(command) leaves events behind")
      plain[command] = trial
    }
    let expected = plain
    let plan = Self.plan(plain)
    var outcomes: [String: [Int32: Int]] = [:]
    await withTaskGroup(of: (String, Int32, String?).self) { group in
      func start(_ command: FaultCommand, _ fault: Fault) {
        group.addTask {
          do {
            guard let plain = expected[command] else { return (fault.call, -1, "no plain run of \(command)") }
            let trial = try await bench.run(command, fault)
            let verdict = FaultBench.verdict(on: trial, of: command, fault, beside: plain)
            let complaint = verdict.map { "\(command) \(fault): \($0)\n\(trial.run.errorText.prefix(600))" }
            return (fault.call, trial.run.status, complaint)
          } catch { return (fault.call, -1, "\(command) \(fault): \(error)") }
        }
      }
      var waiting = plan[...]
      for _ in 0..<3 { if let (command, fault) = waiting.popFirst() { start(command, fault) } }
      for await (call, status, fault) in group {
        outcomes[call, default: [:]][status, default: 0] += 1
        if let fault { Issue.record("\(fault)") }
        if let (command, fault) = waiting.popFirst() { start(command, fault) }
      }
    }
    for (call, counts) in outcomes.sorted(by: { $0.key < $1.key }) {
      let text = counts.sorted { $0.key < $1.key }.map { "\($0.value) with \($0.key)" }.joined(separator: ", ")
      print("faults: \(call): \(text)")
    }
    print("faults: \(plan.count) injections into \(outcomes.count) calls and kinds of callbacks")
  }
}
