import Foundation
import OpenCLBackend
import Testing

/// Whether transfers, kernels and the host's encoding overlap, from the times that the device tells.
@Suite(.enabled(if: Places.hasDevice, "needs an OpenCL device"))
struct TimelineTests {
  /// Whether the device that commands take has a queue for each lane.
  private static let severalQueues: Bool = {
    let candidates = (try? DeviceCandidate.all()) ?? []
    guard let device = DeviceCandidate.automatic(among: candidates)?.candidate else { return false }
    return !device.sharesOneQueue
  }()

  /// A command of a device, as the trace has it.
  private struct Command {
    let kind: String
    let name: String
    let lane: Int
    let submission: Int
    let bytes: Int
    /// Queued, submitted, started, ended.
    let times: [Int]

    var queued: Int { times[0] }
    var started: Int { times[2] }
    var ended: Int { times[3] }

    init(_ event: JSONObject) throws {
      (kind, name, lane) = (try event.string("cat"), try event.string("name"), try event.integer("tid"))
      let arguments = try event.object("args")
      (submission, bytes) = (try arguments.integer("submission"), try arguments.integer("bytes"))
      times = try ["queued", "submitted", "started", "ended"].map { try arguments.integer($0) }
    }
  }

  /// The commands of an extraction in many batches, two of which the scheduler has under way at a time.
  private static func extraction() async throws -> [Command] {
    let folder = try TemporaryFolder()
    let page = try String(contentsOfFile: "\(Places.root)/Examples/pride-and-prejudice.txt", encoding: .utf8)
    _ = try folder.file("texts.txt", String(repeating: page, count: 4).utf8)
    let arguments = [
      "extract", "--lines", "--batch-tokens", "256", "--output", "\(folder.path)/found.jsonl", "texts.txt",
    ]
    // Kernels are compiled here, and not while the times are taken.
    let first = try await Weft.run(arguments, directory: folder.path)
    try #require(first.status == 0, "\(first.errorText)")
    let plain = folder.contents(of: "found.jsonl")
    let run = try await Weft.run(arguments + ["--timeline", "times.json"], directory: folder.path)
    try #require(run.status == 0, "\(run.errorText)")
    #expect(folder.contents(of: "found.jsonl") == plain)
    return try Self.commands(try #require(folder.contents(of: "times.json")))
  }

  private static func commands(_ trace: String) throws -> [Command] {
    try JSONObject(trace).objects("traceEvents")
      .filter { try $0.string("ph") == "X" && $0.integer("pid") == 1 }.map(Command.init)
  }

  @Test func theNextSubmissionIsEncodedWhileOneRuns() async throws {
    let commands = try await Self.extraction()
    for command in commands {
      #expect(command.times == command.times.sorted(), "\(command)")
      #expect((command.kind == "kernel") == (command.bytes == 0), "\(command)")
    }
    let submissions = Dictionary(grouping: commands, by: \.submission).values
      .sorted { ($0.map(\.queued).min() ?? 0) < ($1.map(\.queued).min() ?? 0) }
    // The first ones upload the model's weights, each awaited before the next.
    let batches = submissions.filter { Set($0.map(\.kind)) == ["upload", "kernel", "download"] }
    try #require(batches.count > 10, "\(submissions.map(\.count))")
    #expect(Set(batches.flatMap { $0.map(\.lane) }) == [0, 1])
    var encodedAhead = 0
    for (batch, next) in zip(batches, batches.dropFirst()) {
      let end = try #require(batch.filter { $0.kind == "kernel" }.map(\.ended).max())
      // All of the next, not its first command only.
      if try #require(next.map(\.queued).max()) < end { encodedAhead += 1 }
    }
    // On a busy machine the host may now and then come too late.
    #expect(encodedAhead > batches.count / 2, "\(encodedAhead) of \(batches.count)")
  }

  /// Not on devices whose lanes share a queue, where no command can overlap another.
  @Test(.enabled(if: severalQueues, "needs a device with several queues"))
  func transfersRunWhileKernelsDo() async throws {
    let commands = try await Self.extraction()
    let kernels = commands.filter { $0.kind == "kernel" }
    let overlapping = commands.filter { transfer in
      transfer.kind != "kernel"
        && kernels.contains {
          $0.lane != transfer.lane && $0.started < transfer.ended && transfer.started < $0.ended
        }
    }
    #expect(!overlapping.isEmpty, "none of \(commands.count - kernels.count) transfers")
  }

  @Test func benchesWriteOne() async throws {
    let folder = try TemporaryFolder()
    let run = try await Weft.run(
      [
        "bench", "pairs", "--batch", "2", "--heads", "3", "--length", "70", "--head-size", "16", "--repetitions", "3",
        "--warmup", "1", "--json", "--timeline", "times.json",
      ], directory: folder.path)
    try #require(run.status == 0, "\(run.errorText)")
    let commands = try Self.commands(try #require(folder.contents(of: "times.json")))
    #expect(commands.filter { $0.name.contains("pairwise") }.count >= 4, "\(Set(commands.map(\.name)))")
    #expect(commands.contains { $0.kind == "upload" && $0.bytes == 2 * 70 * 3 * 2 * 16 * 4 })
  }

  /// Times that the driver does not tell: results are complete, and the gaps are an error.
  @Test(.enabled(if: FaultBench.obstacle == nil, "needs a C compiler on Linux"))
  func aTimeThatIsRefusedIsAnError() async throws {
    let bench = try await FaultBench()
    let plain = try await bench.run(.timeline)
    try #require(plain.run.status == 0 && plain.kept["event"] == 0, "\(plain.run.errorText)")
    let trial = try await bench.run(.timeline, Fault("clGetEventProfilingInfo", "7", status: -9999))
    #expect(trial.run.status == 1)
    let message = "clGetEventProfilingInfo"
    #expect(trial.run.complaints.count { $0.hasPrefix("Error: ") && $0.contains(message) } == 1)
    #expect(trial.result == plain.result)
    #expect(trial.kept["event"] == 0)
  }

  @Test func theReferenceHasNone() async throws {
    let folder = try TemporaryFolder()
    let run = try await Weft.run(
      ["bench", "pairs", "--device", "cpu", "--timeline", "times.json"], directory: folder.path)
    #expect(run.status == 64 && run.errorText.contains("--timeline"))
    #expect(folder.names.isEmpty)
  }
}
