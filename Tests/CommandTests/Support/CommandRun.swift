import Foundation
import Testing

/// What a finished `weft` process left behind.
struct CommandRun: Sendable {
  /// The exit status; 128 and the signal's number if a signal ended it, as in a shell.
  let status: Int32
  let output: Data
  let errorText: String

  var text: String { String(decoding: output, as: UTF8.self) }
  var lines: [String] { text.split(separator: "\n").map(String.init) }
  /// What the program said about itself: the driver's own lines left out.
  var complaints: [String] {
    errorText.split(separator: "\n").map(String.init).filter { !$0.hasSuffix("generated.") }
  }

  /// Each line of output as a JSON object.
  func objects() throws -> [JSONObject] { try lines.map { try JSONObject($0) } }
  /// The output as one JSON object.
  func object() throws -> JSONObject { try JSONObject(text) }
}

/// Starts the built `weft` as a user would.
enum Weft {
  /// The program, which SwiftPM builds beside the test bundle.
  static let program: String = {
    let bundle = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    let candidates = [bundle, URL(filePath: CommandLine.arguments[0]), Bundle.main.bundleURL]
    return candidates.map { $0.deletingLastPathComponent().appending(path: "weft").path }
      .first { FileManager.default.isExecutableFile(atPath: $0) } ?? "weft"
  }()

  /// Runs it to its end. The environment's variables are set, or with nil removed, on top of the test's own.
  static func run(
    _ arguments: [String], input: String = "", environment: [String: String?] = [:],
    directory: String? = nil, seconds: Double = 600
  ) async throws -> CommandRun {
    try await run(
      program, arguments, input: Data(input.utf8), environment: environment, directory: directory,
      seconds: seconds)
  }

  static func run(_ arguments: String..., input: String = "") async throws -> CommandRun {
    try await run(arguments, input: input)
  }

  /// Runs a shell line; `$WEFT` in it is the program.
  static func shell(
    _ line: String, environment: [String: String?] = [:], directory: String? = nil
  ) async throws -> CommandRun {
    var environment = environment
    environment["WEFT"] = program
    return try await run(
      "/bin/sh", ["-c", line], input: Data(), environment: environment, directory: directory)
  }

  /// Streams are files, not pipes: nothing can block, and no other process inherits an end.
  static func run(
    _ program: String, _ arguments: [String], input: Data, environment: [String: String?] = [:],
    directory: String? = nil, seconds: Double = 600
  ) async throws -> CommandRun {
    let folder = try TemporaryFolder()
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    process.currentDirectoryURL = URL(filePath: directory ?? folder.path)
    var variables = ProcessInfo.processInfo.environment
    for (name, value) in environment { variables[name] = value }
    process.environment = variables
    let standardInput = try folder.file("in", input)
    let (output, errors) = (try folder.file("out", Data()), try folder.file("err", Data()))

    let isTimely = try await Turnstile.shared.pass {
      // Open only while it runs: Foundation's list of descriptors to close overruns its buffer where there are thousands.
      let streams = [
        try FileHandle(forReadingFrom: URL(filePath: standardInput)),
        try FileHandle(forWritingTo: URL(filePath: output)), try FileHandle(forWritingTo: URL(filePath: errors)),
      ]
      defer { for stream in streams { try? stream.close() } }
      process.standardInput = streams[0]
      process.standardOutput = streams[1]
      process.standardError = streams[2]
      return try await finish(process, seconds: seconds)
    }
    let name = ([program] + arguments).joined(separator: " ")
    try #require(isTimely, "\(name) did not end within \(seconds) s")
    return CommandRun(
      status: process.terminationReason == .exit
        ? process.terminationStatus : 128 + process.terminationStatus,
      output: try Data(contentsOf: URL(filePath: output)),
      errorText: String(decoding: try Data(contentsOf: URL(filePath: errors)), as: UTF8.self))
  }

  /// - Returns: whether the process ended by itself.
  private static func finish(_ process: Process, seconds: Double) async throws -> Bool {
    try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
      process.terminationHandler = { _ in done.resume() }
      do { try process.run() } catch {
        process.terminationHandler = nil
        done.resume(throwing: error)
        return
      }
      let identifier = process.processIdentifier
      DispatchQueue.global().asyncAfter(deadline: .now() + seconds) {
        if process.isRunning { kill(identifier, SIGKILL) }
      }
    }
    return process.terminationReason == .exit || process.terminationStatus != SIGKILL
  }
}

/// Lets two through at a time: more processes would only take each other's processors and memory.
private actor Turnstile {
  static let shared = Turnstile()

  private var free = 2
  private var waiting: [CheckedContinuation<Void, Never>] = []

  func pass<Result: Sendable>(
    _ body: @Sendable () async throws -> Result
  ) async rethrows -> Result {
    if free > 0 { free -= 1 } else { await withCheckedContinuation { waiting.append($0) } }
    defer { if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() } }
    return try await body()
  }
}
