internal import Synchronization

/// Forces chosen OpenCL calls to fail, for tests of what happens then.
///
/// The plan is task-local: tests running beside each other do not meet, and child tasks inherit it.
/// Unused, it costs one task-local lookup for each C call.
package enum FaultInjection {
  /// Runs `body` with one call failing in its place.
  ///
  /// - Parameters:
  ///   - call: the C function's name, or `command` for the end of an enqueued command.
  ///   - occurrence: which call of that name fails, from 1; nil for every one.
  ///   - status: what the call seems to return.
  ///   - body: the work.
  /// - Returns: what `body` does.
  package static func failing<Result>(
    _ call: String, occurrence: Int? = 1, with status: CLStatus, _ body: () throws -> Result
  ) rethrows -> Result {
    let plan = Plan(call: call, occurrence: occurrence, status: status)
    return try $plan.withValue(plan, operation: body)
  }

  /// `failing` for asynchronous work.
  package static func failing<Result>(
    _ call: String, occurrence: Int? = 1, with status: CLStatus,
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Result
  ) async rethrows -> Result {
    let plan = Plan(call: call, occurrence: occurrence, status: status)
    return try await $plan.withValue(plan, operation: body)
  }

  /// Runs `body` and lists the calls it made, in order: each is one that a test can fail.
  package static func recording(_ body: () async throws -> Void) async rethrows -> [String] {
    let plan = Plan(call: nil, occurrence: nil, status: .success)
    try await $plan.withValue(plan, operation: body)
    return plan.record
  }

  @TaskLocal private static var plan: Plan?

  /// The code that this call must seem to return; nil, as ever outside tests, to make it.
  static func status(forcedOn call: StaticString) -> Int32? {
    guard let plan else { return nil }
    return plan.status(forcedOn: "\(call)")
  }

  /// What to fail, and what was called so far; shared by the child tasks of a test.
  private final class Plan: Sendable {
    private let call: String?
    private let occurrence: Int?
    private let status: CLStatus
    private let calls = Mutex<[String]>([])

    init(call: String?, occurrence: Int?, status: CLStatus) {
      self.call = call
      self.occurrence = occurrence
      self.status = status
    }

    var record: [String] { calls.withLock { $0 } }

    func status(forcedOn name: String) -> Int32? {
      let count = calls.withLock { calls in
        calls.append(name)
        return calls.count { $0 == name }
      }
      guard name == call, occurrence == nil || occurrence == count else { return nil }
      return status.rawValue
    }
  }
}
