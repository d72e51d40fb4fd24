import ArgumentParser
import Diffusion
import Foundation
import Geometry
import ModelFiles
import Synchronization
import Weft

struct HubsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hubs",
    abstract: "Keep the latents that many others have among their nearest neighbours.",
    usage: """
      weft hubs --dimension <d> --output <latents.npy> [<options>]
      weft hubs [<options>] --output <latents.npy> <vectors>
      """,
    discussion: """
      Hub sampling: in high dimension latents that are hubs lie nearer to the mean of all, and samples that start from \
      them are more alike and nearer to what is usual, much as with shorter noise. Standard normal latents are drawn, or those of a file taken, and the ones are kept \
      that at least --at-least others have among their k nearest.

        weft hubs --dimension 64 --draws 4000 --output hubs.npy
        weft sample --data DIGITS --noise hubs.npy --output grid.png

      Latent i of a seed is the noise that sample i of 'weft sample --seed' starts from.
      """)

  /// What is drawn where no file is given.
  private static let usualDraws = 10_000
  /// Numbers that are drawn at most: 4 GiB of them.
  private static let drawLimit = 1 << 30

  @Argument(
    help: ArgumentHelp(
      "Latents to choose from, one a row: a .npy file, or a tensor as in file.safetensors#name. Drawn if left out.",
      valueName: "vectors"))
  var vectors: String?

  @Option(parsing: .unconditional, help: ArgumentHelp("Elements of a drawn latent.", valueName: "d"))
  var dimension: Int?

  @Option(parsing: .unconditional, help: ArgumentHelp("Latents to draw (10000).", valueName: "n"))
  var draws: Int?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("The seed that latents are drawn with (0).", valueName: "seed"),
    transform: { try Choice.seed($0) })
  var seed: UInt64?

  @Option(
    name: .customShort("k"), parsing: .unconditional, help: ArgumentHelp("Neighbours of each latent.", valueName: "n"))
  var k = 5

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Keep latents that so many others have among their k nearest.", valueName: "n"))
  var atLeast = 50

  @OptionGroup var search: NeighbourArguments

  @Option(help: ArgumentHelp("The latents that are kept, as float32 [hubs, d].", valueName: "latents.npy"))
  var output: String

  func validate() throws {
    guard k >= 1 else { throw ValidationError("-k is \(k): it must be at least 1") }
    guard atLeast >= 0 else { throw ValidationError("--at-least is \(atLeast): it cannot be negative") }
    try OutputName.check(output, "--output", isA: "npy")
    if let vectors {
      try NeighbourArguments.checkName(vectors)
      for (option, isGiven) in [("--dimension", dimension != nil), ("--draws", draws != nil), ("--seed", seed != nil)] {
        if isGiven { throw ValidationError("\(option) is for drawn latents: leave it out, or the file") }
      }
      try OutputName.checkDiffer([("--output", output)], inputs: [("the latents", VectorFile.parts(of: vectors).path)])
      return
    }
    guard let dimension else {
      throw ValidationError("--dimension is missing: the elements of a latent, 512 for example; or name a file")
    }
    let draws = draws ?? Self.usualDraws
    guard dimension > 0, draws > 0 else { throw ValidationError("--dimension and --draws must be positive") }
    guard dimension <= Self.drawLimit / draws else {
      throw ValidationError("\(draws) latents of dimension \(dimension) do not fit: draw fewer")
    }
    guard k < draws else { throw ValidationError("-k is \(k), and each of \(draws) latents has \(draws - 1) others") }
  }

  func run() async throws {
    let file = try OutputFile(path: output)
    if let vectors {
      let source = try VectorFile(named: vectors)
      source.noteRounding(named: vectors)
      try await keep(source, named: vectors, on: try await search.device.engine(), in: file)
    } else {
      let engine = try await search.device.engine()
      let latents = try await engine.gaussianLatents(
        count: draws ?? Self.usualDraws, dimension: dimension ?? 1, seed: seed ?? 0)
      try await keep(latents, named: "drawn latents", on: engine, in: file)
    }
  }

  private func keep(
    _ latents: some VectorSource, named name: String, on engine: Engine, in file: OutputFile
  ) async throws {
    let counts = NeighbourCounts(try await search.neighbours(of: latents, named: name, k: k, on: engine))
    let hubs = try HubLatents(of: latents, counts, atLeast: atLeast)
    let (kept, total) = (hubs.indices.count, latents.count)
    guard kept > 0 else {
      throw GeometryError(
        "\(name): none of \(total) has \(atLeast) others that have it among their \(k) nearest; the most is "
          + "\(counts.counts.max() ?? 0): lower --at-least")
    }
    try file.write(NumPyWriter.file(hubs.elements, shape: [kept, hubs.dimension]))
    try file.commit()
    let share = String(format: "%.2f", 100 * Double(kept) / Double(total))
    let length = String(format: "%.3f", hubs.meanNorm / Double(hubs.dimension).squareRoot())
    note(
      "\(Quantity.grouped(kept)) of \(Quantity.grouped(total)) latents kept (\(share) %), with N from "
        + "\(hubs.counts.min() ?? 0) to \(hubs.counts.max() ?? 0) and a mean norm of \(length) √d")
  }
}

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
  /// Notes on standard error if the file's numbers are rounded before they are used.
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
