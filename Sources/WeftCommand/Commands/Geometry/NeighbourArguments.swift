import ArgumentParser
import Foundation
import Geometry
import ModelFiles
import Synchronization
import Weft

/// How neighbours are found: which, how many and where.
struct NeighbourArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp("What is near: euclidean, squared-euclidean, cosine or inner-product.", valueName: "name"),
    transform: { try Choice.named($0) })
  var metric = Metric.euclidean

  @OptionGroup var device: DeviceOptions

  /// Refuses a name that no file can have.
  static func checkName(_ vectors: String) throws {
    guard VectorFile.parts(of: vectors).path.isEmpty else { return }
    throw ValidationError("the vectors' name is \(vectors.quoted): give a .npy file, or file.safetensors#tensor")
  }

  /// The neighbours of every vector among the others, with a bar on a terminal that says how far the search is.
  ///
  /// - Parameters:
  ///   - vectors: what is searched.
  ///   - name: what faults of the vectors are said to be in.
  ///   - k: neighbours of each.
  ///   - engine: where to compute.
  /// - Returns: the neighbours.
  /// - Throws: `GeometryError` if there are none, naming the vectors; `EngineError` if the device fails.
  func neighbours(
    of vectors: some VectorSource, named name: String, k: Int, on engine: Engine
  ) async throws -> NeighbourLists {
    let progress = SearchProgress(vectors: vectors.count)
    defer { progress.clear() }
    var options = NeighbourOptions()
    options.progress = { progress.reach($0) }
    do {
      return try await engine.neighbours(of: vectors, k: k, metric: metric, options: options)
    } catch let error as GeometryError {
      throw GeometryError("\(name): \(error.message)")
    }
  }
}

extension VectorFile {
  /// Says so if the file's numbers are not used as they are.
  func noteRounding(named name: String) {
    if let rounding { note("\(name): \(rounding)") }
  }
}

/// A bar for a search that reports from another task.
private final class SearchProgress: Sendable {
  private let state: Mutex<(bar: ProgressBar?, done: Int)>
  private let count: Int

  init(vectors count: Int) {
    self.count = count
    state = Mutex((ProgressBar.onStandardError(title: "neighbours", total: count, unit: .vectors), 0))
  }

  func reach(_ share: Double) {
    state.withLock { state in
      // A second look at some starts anew, and is short.
      let done = max(state.done, Int(share * Double(count)))
      state.bar?.advance(documents: done - state.done, tokens: 0)
      state.done = done
    }
  }

  func clear() { state.withLock { $0.bar?.clear() } }
}
