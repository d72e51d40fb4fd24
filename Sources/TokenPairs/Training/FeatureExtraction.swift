internal import Engine
internal import Files
import Foundation
internal import ModelFiles
internal import Networks

/// Has the features of both parts of the data in files: those that are there already, and those that are computed.
struct FeaturePreparation {
  private typealias Part = TrainingPreparation.Part

  /// The files that are ready.
  private(set) var caches: [TrainingPreparation.Part: FeatureCache] = [:]
  private let preparation: TrainingPreparation
  private let training: HeadTraining
  private let directory: String
  private let layouts: [Part: FeatureLayout]
  private var running: (part: Part, extraction: FeatureExtraction)?
  private var encoder: TextEncoder?
  /// Windows and tokens of the files computed so far.
  private var done = (windows: 0, tokens: 0)
  /// Windows to compute, once it is known which files are there.
  private var total: Int?
  private var notes: [String] = []

  init(_ preparation: TrainingPreparation, _ training: HeadTraining) {
    self.preparation = preparation
    self.training = training
    directory = training.options.features ?? preparation.folder.work
    layouts = Dictionary(
      uniqueKeysWithValues: Part.allCases.map {
        ($0, preparation.layout(of: $0, precision: training.options.featurePrecision))
      })
  }

  /// Does the work up to the next report.
  /// - Returns: nil when both files are ready.
  /// - Throws: `ModelFileError`, `EngineError` or `TrainingError`, as `FeatureExtraction` does.
  mutating func next() async throws -> TrainingProgress? {
    if total == nil { try lookForFiles() }
    while true {
      if !notes.isEmpty { return .note(notes.removeFirst()) }
      if var current = running {
        let goesOn = try await current.extraction.next()
        running = goesOn ? current : nil
        let windows = done.windows + current.extraction.windows
        let tokens = done.tokens + current.extraction.tokens
        if goesOn { return .encoding(windows: windows, of: total ?? windows, tokens: tokens) }
        done = (windows, tokens)
        try open(current.part)
        continue
      }
      guard let part = Part.allCases.first(where: { caches[$0] == nil }), let layout = layouts[part] else {
        encoder = nil
        return nil
      }
      let encoder = try await loadedEncoder()
      let extraction = try FeatureExtraction(
        preparation.ids(of: part), encoder: encoder, layout: layout, to: path(layout),
        batchTokens: training.batchTokens, on: training.engine)
      running = (part, extraction)
    }
  }

  private mutating func lookForFiles() throws {
    do { try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true) } catch {
      throw ModelFileError(file: directory, problem: "cannot be created: \(error.localizedDescription)")
    }
    var missing: Set<FeatureLayout> = []
    for part in Part.allCases {
      guard let layout = layouts[part] else { continue }
      ReplacingFile.removeAbandoned(path(layout))
      if fileExists(path(layout)) {
        do throws(FeatureCache.Fault) {
          caches[part] = try FeatureCache(path(layout), layout)
          continue
        } catch { notes.append("\(path(layout)): \(error.problem); it is computed anew") }
      }
      missing.insert(layout)
    }
    total = missing.reduce(0) { $0 + $1.lengths.count }
  }

  private mutating func open(_ part: Part) throws {
    guard let layout = layouts[part] else { return }
    do throws(FeatureCache.Fault) {
      let cache = try FeatureCache(path(layout), layout)
      // Data that are tried on themselves have one file.
      for same in Part.allCases where layouts[same] == layout { caches[same] = cache }
    } catch { throw ModelFileError(file: path(layout), problem: error.problem) }
  }

  private mutating func loadedEncoder() async throws -> TextEncoder {
    if let encoder { return encoder }
    let loaded = try await TextEncoder(
      preparation.files.graph, weights: preparation.files.checkpoint, prefix: preparation.prefix,
      on: training.engine)
    encoder = loaded
    return loaded
  }

  private func path(_ layout: FeatureLayout) -> String { "\(directory)/\(layout.fileName)" }
}

/// Encodes windows and writes what the encoder gave, each window once and in order.
///
/// A window's rows are the same bits whatever batch they were computed in.
struct FeatureExtraction {
  private typealias Windows = AsyncStream<[Int32]>

  /// Windows written so far.
  private(set) var windows = 0
  /// Their tokens.
  private(set) var tokens = 0
  private let layout: FeatureLayout
  private let writer: FeatureWriter
  private let outcomes: Scheduler<[Int32], [Float]>.Outcomes<Windows>.Iterator

  /// Starts the file; the device begins to compute.
  /// - Parameters:
  ///   - windows: token ids, framed by CLS and SEP.
  ///   - encoder: what encodes them.
  ///   - layout: what the file is to say about them.
  ///   - path: the file.
  ///   - batchTokens: tokens of a batch.
  ///   - engine: the device.
  /// - Throws: `ModelFileError` if the file cannot be written.
  init(
    _ windows: [[Int32]], encoder: TextEncoder, layout: FeatureLayout, to path: String, batchTokens: Int,
    on engine: Engine
  ) throws(ModelFileError) {
    self.layout = layout
    writer = try FeatureWriter(path, layout)
    let mean = layout.lengths.reduce(0, +) / max(1, windows.count)
    let scheduler = Scheduler<[Int32], [Float]>(
      limits: BatchPolicy.Limits(tokens: batchTokens, bytes: max(1, engine.device.memoryBytes / 2)),
      // Finished rows wait in memory for their turn: a few batches of them, however many windows that is.
      window: max(16, 4 * min(batchTokens, 1 << 32) / max(1, mean)),
      weigh: { ($0.count, encoder.memory(of: .tokens($0.count)).pass) },
      execute: { (windows) throws(EngineError) in try await Self.rows(of: windows, encoder, on: engine) })
    let stream = Windows { continuation in
      for window in windows { continuation.yield(window) }
      continuation.finish()
    }
    outcomes = scheduler.outcomes(of: stream).makeAsyncIterator()
  }

  /// Writes the next window's rows, and completes the file after the last.
  /// - Returns: false if there was none left.
  /// - Throws: `EngineError` if the device failed; `ModelFileError` if the file cannot be written; `TrainingError` for
  ///   rows that are not finite.
  mutating func next() async throws -> Bool {
    guard let outcome = try await outcomes.next() else {
      try writer.finish()
      return false
    }
    let rows = try outcome.get()
    // What rounds to infinity in float16 begins at 65,520.
    let limit: Float = layout.precision == .float32 ? .infinity : 65_520
    guard rows.allSatisfy({ abs($0) < limit }) else {
      throw TrainingError(
        "the encoder's output for window \(windows + 1) has numbers that \(layout.precision.rawValue) cannot hold")
    }
    try writer.add(rows)
    windows += 1
    tokens += rows.count / layout.hiddenSize
    return true
  }

  private static func rows(
    of windows: [[Int32]], _ encoder: TextEncoder, on engine: Engine
  ) async throws(EngineError) -> [[Float]] {
    var submission = Submission()
    let tokens = try DeviceTokens(TokenBatch(windows), on: engine, uploadedBy: &submission)
    let hidden = try encoder.encode(tokens, in: &submission)
    let place = try submission.download(hidden)
    let values = try await engine.run(submission)[place].floats
    var start = 0
    return windows.map { window in
      let end = start + window.count * encoder.width
      defer { start = end }
      return Array(values[start..<end])
    }
  }
}
