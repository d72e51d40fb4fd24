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
  private var encoder: BertEncoder?
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

  private mutating func loadedEncoder() async throws -> BertEncoder {
    if let encoder { return encoder }
    let loaded = try await BertEncoder(
      preparation.files.configuration, weights: preparation.files.checkpoint, prefix: preparation.prefix,
      on: training.engine)
    encoder = loaded
    return loaded
  }

  private func path(_ layout: FeatureLayout) -> String { "\(directory)/\(layout.fileName)" }
}
