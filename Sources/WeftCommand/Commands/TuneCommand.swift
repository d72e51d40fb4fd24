import ArgumentParser
import Diffusion
import Engine
import Files
import Foundation
import ModelFiles
import Networks
import OpenCLBackend
import Weft

struct TuneCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tune",
    abstract: "Find the fastest tiles for this device.",
    usage: "weft tune [<options>]",
    discussion: """
      Runs a model once to see what it computes, then times each operation with tiles of other shapes and keeps the \
      fastest for later runs, in Weft's cache folder: for this device, its driver and this version of the kernels. A \
      shape is kept only if it is faster by more than 2 % and every bit of the result is the same: tuning changes speed, \
      never results. --verbose says what any command uses.
      """)

  @OptionGroup var tiles: TileOptions

  @Option(
    help: ArgumentHelp(
      "A model's directory, as 'weft extract --model' or 'weft sample --model' takes it; may be repeated. Without, the models that come with Weft.",
      valueName: "directory"))
  var model: [String] = []

  @Option(
    help: ArgumentHelp(
      "A network of this shape with random weights, as 'weft bench' has it; may be repeated: \(TunedNetwork.shapes.joined(separator: ", ")).",
      valueName: "name"))
  var shape: [String] = []

  @Option(parsing: .unconditional, help: ArgumentHelp("Seconds for each model, about.", valueName: "n"))
  var seconds = 60.0

  @Flag(help: "Remove what was found for this device.")
  var forget = false

  @Flag(help: "Print one JSON object instead of a table.")
  var json = false

  func validate() throws {
    guard seconds > 0, seconds <= 1e6 else { throw ValidationError("--seconds must be above 0 and at most 1000000") }
    if let unknown = shape.first(where: { !TunedNetwork.shapes.contains($0) }) {
      throw ValidationError("--shape: '\(unknown)' is none of \(TunedNetwork.shapes.joined(separator: ", "))")
    }
    if forget, !model.isEmpty || !shape.isEmpty { throw ValidationError("--forget needs no model") }
  }

  func run() async throws {
    // Models are refused before anything is measured.
    let networks = forget ? [] : try networks()
    let engine = try tiles.engine()
    guard let backend = engine.backend as? OpenCLBackend, let tileShape = backend.tiles else {
      throw ValidationError("\(engine.device.name) has no tiles to tune: take an OpenCL device")
    }
    guard let file = backend.tuningFile else {
      throw ValidationError("there is no cache folder to keep the tuning in: WEFT_CACHE is off, or HOME is not set")
    }
    if forget {
      let wasThere = try removing(file)
      return try printReport(wasThere ? "removed \(file.path)\n" : "there was no tuning of \(engine.device.name)\n")
    }
    var records: [TuningRecord] = []
    var known: Set<String> = []
    for network in networks {
      let recorder = OperationRecorder(backend, keepsUploads: true)
      let recording = Engine(backend: recorder, logger: engine.logger).multiplying(at: engine.precision)
      try await network.run(on: recording)
      let tasks = TuningTask.tasks(in: recorder.submissions, tileShape).filter { !known.contains($0.key) }
      let found = try await tune(tasks, of: network.name, on: engine)
      known.formUnion(found.map(\.key))
      records += found
      // What was found is kept, whatever happens to the next model.
      do throws(WriteError) { try file.add(found) } catch { throw FileProblem(path: error.path, reason: error.reason) }
    }
    try TuningReport(records: records, file: file.path, device: engine.device, trialProblems: records.problems)
      .show(json: json)
  }

  /// Tunes a model's operations, those that take most of its time first.
  private func tune(_ tasks: [TuningTask], of name: String, on engine: Engine) async throws -> [TuningRecord] {
    let deadline = ContinuousClock.now + .seconds(seconds)
    let tuner = Tuner(on: engine)
    var shares: [(task: TuningTask, seconds: Double)] = []
    for task in tasks { shares.append((task, try await tuner.defaultSeconds(task) * Double(task.count))) }
    shares.sort { ($0.seconds, $1.task.key) > ($1.seconds, $0.task.key) }

    let progress = ProgressBar.onStandardError(title: "tune", total: tasks.count, unit: .operations)
    var records: [TuningRecord] = []
    for (task, _) in shares where ContinuousClock.now < deadline {
      progress?.remark = task.key
      records.append(try await tuner.tune(task, until: deadline))
      progress?.advance(tokens: 0)
    }
    if let progress { note("weft: \(name): " + progress.finish()) }
    if records.count < tasks.count {
      note(
        "weft: \(name): \(records.count) of \(tasks.count) operations tuned in \(Quantity.short(seconds)) s, the slowest first; a larger --seconds reaches the rest"
      )
    }
    return records
  }

  private func removing(_ file: TuningFile) throws -> Bool {
    do throws(WriteError) { return try file.remove() } catch {
      throw FileProblem(path: error.path, reason: error.reason)
    }
  }

  private func networks() throws -> [TunedNetwork] {
    guard model.isEmpty && shape.isEmpty else {
      return try model.map { try TunedNetwork(directory: $0) } + shape.map { TunedNetwork(shape: $0) }
    }
    return try BundledModels.all.map { try TunedNetwork(directory: BundledModels.directory(named: $0)) }
  }
}

/// A file that the system refuses.
private struct FileProblem: Error, CustomStringConvertible {
  let path: String
  let reason: String
  var description: String { "\(path): \(reason)" }
}

/// What runs as it will run later, once, to be seen.
private struct TunedNetwork: Sendable {
  let name: String
  private let body: @Sendable (Engine) async throws -> Void

  /// Runs the network once.
  func run(on engine: Engine) async throws { try await body(engine) }

  /// A model's directory: one that draws images, or one that reads text.
  init(directory: String) throws {
    name = directory
    guard ModelKind(directory: directory) == .images else {
      let text = try Self.exampleTexts()
      body = { engine in
        let extractor = try await Extractor(model: directory, on: engine)
        for try await _ in extractor.documents(in: text) {}
      }
      return
    }
    let model = try DiffusionModelFiles(directory: directory)
    try model.checkWeights()
    body = { engine in
      try await Self.pass(of: try await ImageNetwork(model.graph, files: model.network, on: engine), on: engine)
    }
  }

  /// Shapes that are known without a file.
  static let shapes =
    BenchEncoderCommand.Shape.allCases.map(\.rawValue) + BenchUNetCommand.Shape.allCases.map(\.rawValue)

  /// A network of a known shape with random weights.
  init(shape: String) {
    name = shape
    body = { engine in
      if let shape = BenchEncoderCommand.Shape(rawValue: shape) { try await Self.pass(of: shape, on: engine) }
      if let shape = BenchUNetCommand.Shape(rawValue: shape) { try await Self.pass(of: shape, on: engine) }
    }
  }

  /// A page of a novel, paragraph by paragraph.
  private static func exampleTexts() throws -> [String] {
    let path = try BundledModels.exampleText()
    return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
  }

  /// A batch of 16 sequences of 128 tokens, as `weft bench encoder` has them.
  private static func pass(of shape: BenchEncoderCommand.Shape, on engine: Engine) async throws {
    let encoder = try await TextEncoder(
      .bert(shape.configuration), weights: RandomWeights(seed: 1), prefix: "", on: engine)
    var submission = Submission()
    let tokens = try DeviceTokens(
      TokenBatch((0..<16).map { row in (0..<128).map { Int32(1 + row * 128 + $0) } }), on: engine,
      uploadedBy: &submission)
    _ = try encoder.encode(tokens, in: &submission)
    _ = try await engine.run(submission)
  }

  private static func pass(of shape: BenchUNetCommand.Shape, on engine: Engine) async throws {
    try await pass(
      of: try await ImageNetwork(.unet2D(shape.configuration), weights: RandomWeights(seed: 1), on: engine), on: engine)
  }

  /// As many images as a sampler has in a batch.
  private static func pass(of network: ImageNetwork, on engine: Engine) async throws {
    let graph = network.graph
    let images = graph.busyImages(on: engine.device)
    let pass = try network.makePass(images: images)
    let elements = graph.inputChannels * graph.height * graph.width
    let samples = try await engine.upload(
      .float32(normalNumbers(images * elements, seed: 2)), shape: [images, elements])
    let answer = try engine.makeTensor(.float32, images, graph.outputChannels * graph.height * graph.width)
    var row = CoefficientRow()
    row[.inputScale] = 1
    row[.time] = 500
    let levels = CoefficientRows(try await engine.upload(.float32(row.elements), shape: [1, CoefficientRow.width]))
    var submission = Submission()
    try pass.append(samples, at: levels, into: answer, to: &submission)
    _ = try await engine.run(submission)
  }
}

/// What `weft tune` tells.
private struct TuningReport: Report {
  let records: [TuningRecord]
  let file: String
  let device: DeviceDescription
  /// Choices that were dropped.
  let trialProblems: [(key: String, trial: TuningRecord.Trial)]

  func text(on terminal: Terminal) -> String {
    var table = TextTable([
      .text("operation"), .number("runs"), .number("default ms"), .text("best"), .number("ms"),
      .number("times as fast"),
    ])
    for record in records {
      table.addRow([
        record.key, "\(record.count)", milliseconds(record.defaultSeconds),
        "\(record.choice)" + (record.isComplete ? "" : " (not all tried)"), milliseconds(record.seconds),
        String(format: "%.2f", record.defaultSeconds / record.seconds),
      ])
    }
    var text = table.render(on: terminal)
    for (key, trial) in trialProblems {
      text += "dropped: \(key): \(trial.choice): \(trial.problem?.split(separator: "\n").first ?? "")\n"
    }
    func total(_ seconds: KeyPath<TuningRecord, Double>) -> Double {
      records.reduce(0) { $0 + Double($1.count) * $1[keyPath: seconds] }
    }
    let (before, after) = (total(\.defaultSeconds), total(\.seconds))
    if after > 0 {
      text += String(
        format: "all runs of these operations: %@ ms by default, %@ ms tuned, %.2f times as fast\n",
        milliseconds(before),
        milliseconds(after), before / after)
    }
    return text + "kept for \(device.name) in \(file)\n"
  }

  private func milliseconds(_ seconds: Double) -> String { String(format: "%.3f", seconds * 1000) }

  func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: FieldName.self)
    try fields.encode(device.name, forKey: "device")
    try fields.encode(device.driver, forKey: "driver")
    try fields.encode(device.variant, forKey: "variant")
    try fields.encode(file, forKey: "file")
    var operations = fields.nestedUnkeyedContainer(forKey: "operations")
    for record in records {
      var object = operations.nestedContainer(keyedBy: FieldName.self)
      try object.encode(record.key, forKey: "operation")
      try object.encode(record.count, forKey: "runs")
      try object.encode(record.defaultSeconds, forKey: "default_seconds")
      try encode(record.choice, to: &object)
      try object.encode(record.seconds, forKey: "seconds")
      try object.encode(record.isComplete, forKey: "complete")
      var trials = object.nestedUnkeyedContainer(forKey: "trials")
      for trial in record.trials {
        var object = trials.nestedContainer(keyedBy: FieldName.self)
        try encode(trial.choice, to: &object)
        if let seconds = trial.seconds {
          try object.encode(seconds.own, forKey: "seconds")
          try object.encode(seconds.best, forKey: "best_seconds")
        }
        if let problem = trial.problem { try object.encode(problem, forKey: "problem") }
      }
    }
  }

  private func encode(_ choice: TileChoice, to object: inout KeyedEncodingContainer<FieldName>) throws {
    var values = object.nestedContainer(keyedBy: FieldName.self, forKey: "choice")
    for (name, value) in choice.values.sorted(by: { $0.key < $1.key }) {
      try values.encode(value, forKey: FieldName(name))
    }
  }
}

extension [TuningRecord] {
  /// Choices that were dropped.
  fileprivate var problems: [(key: String, trial: TuningRecord.Trial)] {
    flatMap { record in record.trials.filter { $0.problem != nil }.map { (record.key, $0) } }
  }
}
