import Foundation
import Testing

/// The commands whose OpenCL calls are made to fail, each small enough to run in a moment.
enum FaultCommand: String, CaseIterable, Sendable {
  case extract, sample, hubness, argmaxable, train
  /// `extract` without compiled kernels of earlier runs.
  case compiling
  /// `extract` that writes when its commands ran.
  case timeline

  /// Whether results are lines, of which some may be written and others be errors.
  var writesLines: Bool { [.extract, .compiling, .timeline].contains(self) }

  /// The arguments; `folder` is a place for this run's outputs.
  func arguments(in folder: String) -> [String] {
    switch self {
    case .extract, .compiling:
      ["extract", "--model", Places.tinyModel, "--batch-tokens", "40", "--device", "opencl", "texts.jsonl"]
    case .timeline: Self.extract.arguments(in: folder) + ["--timeline", "\(folder)/timeline.json"]
    case .sample:
      [
        "sample", "--data", "ring.npy", "--steps", "3", "--count", "40", "--batch", "16", "--device", "opencl",
        "--array", "\(folder)/samples.npy",
      ]
    case .hubness: ["hubness", "points.npy", "-k", "3", "--json", "--device", "opencl"]
    case .argmaxable: ["argmaxable", "layer.safetensors", "--tensor", "square", "--json", "--device", "opencl"]
    case .train:
      [
        "train", "--encoder", "encoder", "--data", "train.jsonl", "--dev", "dev.jsonl", "--task", "entities",
        "--head-size", "8", "--epochs", "2", "--batch", "2", "--device", "opencl", "--output", "\(folder)/model",
      ]
    }
  }

  /// Of a run's results, what must always be the same: all but times.
  func result(_ run: CommandRun, in folder: String) -> Data {
    switch self {
    case .extract, .compiling, .timeline: return run.output
    case .hubness, .argmaxable: return Self.withoutTimes(run.output)
    case .sample: return FileManager.default.contents(atPath: "\(folder)/samples.npy") ?? Data()
    case .train:
      let files = ["model.safetensors", "vocab.txt"].map {
        FileManager.default.contents(atPath: "\(folder)/model/\($0)") ?? Data()
      }
      return files.reduce(Data(), +)
    }
  }

  private static func withoutTimes(_ json: Data) -> Data {
    let text = String(decoding: json, as: UTF8.self)
    return Data(text.replacing(#/"[a-z_]*seconds":[^,}]*/#, with: "").utf8)
  }
}

/// One thing that goes wrong in a run.
struct Fault: Sendable, Hashable, CustomStringConvertible {
  /// The variables that `opencl_faults.c` reads.
  let environment: [String: String]
  /// The call, or the kind of callback.
  let call: String
  let description: String

  /// A call's occurrence, from 1, returns a status; `0` is every one, `n+` the n-th and all after it.
  init(_ call: String, _ which: String, status: Int) {
    environment = ["WEFT_FAULT": "\(call):\(which):\(status)"]
    self.call = call
    description = "WEFT_FAULT=\(call):\(which):\(status)"
  }

  /// Callbacks are dropped, late, told of a failure or given twice.
  init(callback kind: String, _ which: String) {
    environment = ["WEFT_FAULT_CALLBACK": "\(kind):\(which)"]
    call = "callback \(kind)"
    description = "WEFT_FAULT_CALLBACK=\(kind):\(which)"
  }
}

/// Runs commands with a library before OpenCL's: one that makes calls fail, or one that makes a GPU of the device.
struct FaultBench: Sendable {
  /// What a run did.
  struct Trial: Sendable {
    let run: CommandRun
    let result: Data
    /// How often each call was made.
    let calls: [String: Int]
    /// References of each kind of object that were made and not released.
    let kept: [String: Int]
  }

  private let folder: TemporaryFolder
  private let library: String
  private let trials: TemporaryFolder

  /// Whether runs with faults are possible here, and if not why.
  static let obstacle: String? = {
    #if os(Linux)
      guard Places.hasDevice else { return "no usable OpenCL device" }
      return compiler == nil ? "no C compiler" : nil
    #else
      return "libraries are preloaded on Linux only"
    #endif
  }()

  private static let compiler: String? = {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    let folders = path.split(separator: ":").map(String.init) + ["/opt/swift/usr/bin"]
    return ["clang", "gcc", "cc"].lazy.flatMap { name in folders.lazy.map { "\($0)/\(name)" } }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  /// Builds the C file of this name beside this one, to preload it.
  init(_ library: String = "opencl_faults") async throws {
    folder = try TemporaryFolder()
    trials = try TemporaryFolder()
    self.library = try await Self.library(library, in: folder)
    try writeInputs()
  }

  /// Builds a library to preload from the C file of this name.
  private static func library(_ name: String, in folder: TemporaryFolder) async throws -> String {
    let library = "\(folder.path)/\(name).so"
    let source = "\(Places.root)/Tests/CommandTests/Faults/\(name).c"
    let build = try await Weft.run(
      try #require(compiler),
      ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", source, "-o", library, "-ldl"], input: Data())
    try #require(build.status == 0, "\(build.errorText)")
    return library
  }

  private func writeInputs() throws {
    let sentences = [
      "Mr. Reed met his aunt in London.", "The old house stood by the river.", "Elizabeth walked to Meryton.",
      "A letter came from Captain Wentworth.", "Nobody spoke.", "The carriage left Bath at noon with two ladies.",
    ]
    let lines = (0..<12).map { "{\"id\":\($0),\"text\":\"\(sentences[$0 % 6]) \(sentences[$0 * 5 % 6])\"}\n" }
    _ = try folder.file("texts.jsonl", lines.joined().utf8)
    let others = (try SampleFiles(), try VectorFiles(), try LayerFiles(), try TrainingFiles())
    for (from, name, to) in [
      (others.0.folder, "ring.npy", "ring.npy"), (others.1.folder, "points.npy", "points.npy"),
      (others.2.folder, "model.safetensors", "layer.safetensors"), (others.3.folder, "encoder", "encoder"),
      (others.3.folder, "train.jsonl", "train.jsonl"), (others.3.folder, "dev.jsonl", "dev.jsonl"),
    ] { try FileManager.default.copyItem(atPath: "\(from.path)/\(name)", toPath: "\(folder.path)/\(to)") }
  }

  /// Runs a command with a fault, or without one, and with further variables that the library reads.
  func run(
    _ command: FaultCommand, _ fault: Fault? = nil, environment further: [String: String] = [:]
  ) async throws -> Trial {
    let place = "\(trials.path)/\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: place) }
    var environment: [String: String?] = [
      "LD_PRELOAD": library, "WEFT_FAULT_REPORT": "\(place)/report", "XDG_CACHE_HOME": "\(folder.path)/cache",
    ]
    // Binaries are kept also where the driver keeps them itself: the calls for them are to fail too.
    environment["WEFT_CACHE"] = command == .compiling ? "off" : "always"
    for (name, value) in further.merging(fault?.environment ?? [:], uniquingKeysWith: { $1 }) {
      environment[name] = value
    }
    let run = try await Weft.run(
      command.arguments(in: place), environment: environment, directory: folder.path, seconds: 120)
    var (calls, kept): ([String: Int], [String: Int]) = ([:], [:])
    let report = FileManager.default.contents(atPath: "\(place)/report") ?? Data()
    for line in String(decoding: report, as: UTF8.self).split(separator: "\n") {
      let words = line.split(separator: " ").map(String.init)
      guard words.count == 4, let first = Int(words[2]), let second = Int(words[3]) else { continue }
      if words[0] == "call" { calls[words[1]] = first } else { kept[words[1]] = first - second }
    }
    return Trial(run: run, result: command.result(run, in: place), calls: calls, kept: kept)
  }

  /// Runs a command of other arguments, with variables that the library reads.
  func run(_ arguments: [String], environment: [String: String]) async throws -> CommandRun {
    try await Weft.run(
      arguments, environment: environment.merging(["LD_PRELOAD": library]) { $1 }, directory: folder.path, seconds: 60)
  }

  /// What is wrong with a trial, beside one without faults; nil if it ended as it should.
  static func verdict(on trial: Trial, of command: FaultCommand, _ fault: Fault, beside plain: Trial) -> String? {
    let run = trial.run
    guard [0, 1, 3].contains(run.status) else { return "status \(run.status)" }
    let errors = run.complaints.filter { $0.hasPrefix("Error: ") }
    switch run.status {
    case 0:
      if trial.result != plain.result { return "another result" }
      // A release that is refused leaves one object behind, at least.
      if fault.call.hasPrefix("clRelease") { return nil }
      // Buffers and kernels last as long as the model, which the end of the process may overtake.
      for kind in ["context", "queue", "program", "event"] {
        let count = trial.kept[kind, default: 0]
        if count <= plain.kept[kind, default: 0] { continue }
        return "\(count) objects of the kind \(kind) are left, not \(plain.kept[kind, default: 0])"
      }
      return nil
    case 1:
      if errors.count != 1 { return "\(errors.count) messages" }
      if errors[0].contains("Fatal") || errors[0].count < 20 { return "an unclear message" }
      if command.writesLines {
        // What was finished is written, as it would be without the fault.
        let whole = Array(plain.result)
        if !whole.starts(with: trial.result) { return "other lines" }
        if let last = trial.result.last, last != UInt8(ascii: "\n") { return "half a line" }
      }
      return nil
    default:
      guard command.writesLines else { return "status 3" }
      let (lines, expected) = (run.lines, plain.run.lines)
      if lines.count != expected.count { return "\(lines.count) lines, not \(expected.count)" }
      let differing = zip(lines, expected).filter { $0 != $1 }
      if differing.isEmpty { return "no line differs" }
      return differing.allSatisfy { $0.0.contains("\"error\"") } ? nil : "another line"
    }
  }
}
