internal import Engine
internal import TokenPairs

extension ConformanceFamily { static let pairLoss: ConformanceFamily = "pairLoss" }

/// Losses over token pairs and their derivatives: sizes that straddle tiles, both kinds of head, hard and soft labels,
/// scores that overflow an exponential.
extension ConformanceKit {
  static let pairLossCases: [ConformanceCase] = {
    var cases: [ConformanceCase] = []
    for kind in PairLoss.Formula.allCases {
      for types in [nil, 3] {
        let manner = "\(kind), \(types == nil ? "a head a type" : "shared product")"
        cases.append(
          lossCase("ragged, \(manner)", small: true, kind, lengths: [5, 1, 3], channels: 4, types: types, seed: 1101))
        cases.append(
          lossCase(
            "square, soft, \(manner)", small: true, kind, lengths: [4], channels: 3, types: types, soft: true,
            triangular: false, margin: 1, background: 0.125, seed: 1102))
        for length in [1, 2, 7, 8, 9, 47, 48, 49, 63, 64, 65] {
          cases.append(
            lossCase(
              "\(length) tokens, \(manner)", kind, lengths: [length, 3], channels: 18, types: types, soft: true,
              margin: length % 2, background: length % 3 == 0 ? 0.01 : 0, seed: 1103))
        }
        for triangular in [true, false] {
          cases.append(
            lossCase(
              "several panels, \(triangular ? "triangular" : "square"), \(manner)", kind, lengths: [129, 2, 97],
              channels: 64, types: types, triangular: triangular, margin: 1, seed: 1104))
        }
        cases.append(
          lossCase("no labels, \(manner)", kind, lengths: [50], channels: 8, types: types, share: 0, seed: 1105))
      }
    }
    return cases + [
      lossCase("many types", .zlpr, lengths: [49, 3], channels: 8, types: 37, seed: 1106),
      lossCase("each cell has a label", .zlpr, lengths: [49], channels: 8, types: 2, share: 1, seed: 1107),
      layout, extremes(small: true), extremes(small: false), masked, hardAreSoft, notANumber,
    ]
  }()

  private static func lossCase(
    _ title: String, small: Bool = false, _ kind: PairLoss.Formula, lengths: [Int], channels: Int, types: Int?,
    share: Double = 0.1, soft: Bool = false, triangular: Bool = true, margin: Int = 0, background: Float = 0,
    seed: UInt64
  ) -> ConformanceCase {
    ConformanceCase(.pairLoss, title, small: small) { engine in
      var problem = LossProblem(
        kind, lengths: lengths, .init(heads: types == nil ? 3 : 1, channels: channels), types: types,
        triangular: triangular, margin: margin, seed: seed)
      problem.label(share: small ? 0.3 : share, soft: soft, seed: seed &+ 50)
      problem.backgrounds = problem.backgrounds.indices.map { background * Float($0 + 1) }
      try await problem.check(on: engine)
    }
  }

  /// Vectors and derivatives that are slices of wider rows.
  private static let layout = ConformanceCase(.pairLoss, "slices of wider rows", small: true) { engine in
    var problem = LossProblem(
      .zlpr, lengths: [3, 9], .init(heads: 2, channels: 5, before: 3, between: 2, after: 4), seed: 1110)
    problem.label(share: 0.2, soft: false, seed: 1111)
    try await problem.check(on: engine)
  }

  /// Scores of ±10⁴: finite losses and derivatives, equal to those of log-sum-exp in Double.
  private static func extremes(small: Bool) -> ConformanceCase {
    ConformanceCase(.pairLoss, "scores of ±10⁴\(small ? ", small" : "")", small: small) { engine in
      for kind in PairLoss.Formula.allCases {
        // One channel, powers of two: scores are known to the bit.
        var problem = LossProblem(
          kind, lengths: small ? [4] : [4, 70], .init(heads: 2, channels: 1), triangular: false, .exact, seed: 1112)
        var generator = SplitMix64(seed: 1113)
        problem.queries.fill { _, _, _ in generator.uniform() < 0 ? -256 : 256 }
        problem.keys.fill { _, _, _ in Float(generator.index(below: 3) - 1) * 160 }
        problem.label(share: 0.2, soft: true, seed: 1114)
        // A logarithm near 10⁴ is known to 5e-4, and so is what is divided by its power; queries are 256.
        let cells = 70.0
        let tolerance = Tolerance(absolute: 64 * 1e-3 * (kind == .zlpr ? 1 : cells * 1e-4), relative: 1e-3)
        try await compareWithReference(engine) { workspace in
          let staged = try problem.stage(in: &workspace)
          return [
            ComparedOutput(staged.totals, within: Tolerance(absolute: 0, relative: 1e-6), "loss"),
            ComparedOutput(staged.queries, within: tolerance, "derivative"),
          ]
        }
      }
    }
  }

  /// Cells that do not count have no derivative at all, whatever their score.
  private static let masked = ConformanceCase(.pairLoss, "cells that do not count", small: true) { engine in
    var problem = LossProblem(
      .zlpr, lengths: [6], .init(heads: 1, channels: 2), triangular: true, margin: 1, seed: 1115)
    problem.labels = [
      CellLabel(segment: 0, type: 0, start: 0, end: 5), CellLabel(segment: 0, type: 0, start: 3, end: 2),
      CellLabel(segment: 0, type: 0, start: 2, end: 5),
    ]
    let got = try await problem.run(on: engine)
    // The marks pair with nothing; the loss has no positives left.
    for token in [0, 5] {
      guard got.queries[2 * token...2 * token + 1].allSatisfy({ $0 == 0 }),
        got.keys[2 * token...2 * token + 1].allSatisfy({ $0 == 0 })
      else { throw Mismatch("token \(token) lies in the margin and has a derivative") }
    }
    guard got.totals[2] == 0 else { throw Mismatch("labels of cells that do not count give \(got.totals[2])") }
    try await problem.check(on: engine)
  }

  /// Soft labels of 0 and 1 are hard ones, to the bit.
  private static let hardAreSoft = ConformanceCase(.pairLoss, "soft labels of 0 and 1", small: true) { engine in
    var problem = LossProblem(.zlpr, lengths: [7], .init(heads: 1, channels: 4), types: 2, seed: 1116)
    problem.label(share: 0.3, soft: false, seed: 1117)
    let hard = try await problem.run(on: engine)
    for type in 0..<2 {
      for start in 0..<7 {
        for end in 0..<7
        where !problem.labels.contains(where: { $0.type == type && $0.start == start && $0.end == end }) {
          problem.labels.append(CellLabel(segment: 0, type: type, start: start, end: end, value: 0))
        }
      }
    }
    let soft = try await problem.run(on: engine)
    try compareBits(soft.totals, hard.totals, "totals")
    try compareBits(soft.queries, hard.queries, "derivatives by queries")
    try compareBits(soft.keys, hard.keys, "derivatives by keys")
    try compareBits(soft.biases, hard.biases, "derivatives by biases")
  }

  /// A query that is not a number makes the loss and its derivatives none either: training does not go on silently.
  private static let notANumber = ConformanceCase(.pairLoss, "a query is not a number", small: true) { engine in
    for kind in PairLoss.Formula.allCases {
      var problem = LossProblem(kind, lengths: [4, 3], .init(heads: 1, channels: 2), seed: 1118)
      problem.queries.fill { row, _, channel in row == 2 && channel == 1 ? .nan : 0.5 }
      let got = try await problem.run(on: engine)
      guard got.losses[0].isNaN, got.losses[1].isFinite else {
        throw Mismatch("the losses are \(got.losses), where the first alone is not a number")
      }
      // Its cells are those with the keys from it on.
      guard got.queries[4...5].allSatisfy(\.isNaN), got.keys[6...7].allSatisfy(\.isNaN) else {
        throw Mismatch("\(kind): cells that are not numbers have the derivatives \(got.queries), \(got.keys)")
      }
      guard (got.queries[8..<14] + got.keys[8..<14]).allSatisfy(\.isFinite) else {
        throw Mismatch("\(kind): the other segment has the derivatives \(got.queries), \(got.keys)")
      }
    }
  }
}

/// Queries, keys, biases and labels of a batch.
struct LossProblem: Sendable {
  let lengths: [Int]
  var kind: PairLoss.Formula
  var triangular: Bool
  var margin: Int
  let scale: Float = 0.25
  var queries: VectorSet
  var keys: VectorSet
  var biases: TypeBiasSet?
  var labels: [CellLabel] = []
  var backgrounds: [Float]
  var weight: Float = 0.5

  /// One head a type, or biases for `types` that share one.
  init(
    _ kind: PairLoss.Formula, lengths: [Int], _ layout: VectorSet.Layout, types: Int? = nil, triangular: Bool = true,
    margin: Int = 0, _ draw: Draw = .uniform, seed: UInt64
  ) {
    self.kind = kind
    self.lengths = lengths
    self.triangular = triangular
    self.margin = margin
    let tokens = lengths.reduce(0, +)
    queries = VectorSet(count: tokens, layout, draw, seed: seed &* 7)
    keys = VectorSet(count: tokens, layout, draw, seed: seed &* 7 &+ 1)
    biases = types.map { TypeBiasSet(types: $0, tokens: tokens, scale: 0.5, draw, seed: seed &* 7 &+ 2) }
    backgrounds = [Float](repeating: 0, count: types ?? layout.heads)
  }

  var types: Int { backgrounds.count }

  /// Labels some cells: hard ones, soft ones, and some that do not count; several in a row.
  mutating func label(share: Double, soft: Bool, seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    for segment in lengths.indices {
      for type in 0..<types {
        for start in 0..<lengths[segment] {
          for end in 0..<lengths[segment] where generator.uniform() < Float(2 * share - 1) {
            let value: Float = soft ? Float(generator.index(below: 5)) / 4 : 1
            labels.append(CellLabel(segment: segment, type: type, start: start, end: end, value: value))
          }
        }
      }
    }
  }

  /// What is read of it, guards included.
  struct Staged {
    let totals: Tensor
    let queries: Tensor
    let keys: Tensor
    let biases: Tensor?
  }

  /// Adds the loss and all derivatives.
  func stage(in workspace: inout Workspace) throws -> Staged {
    let tokens = lengths.reduce(0, +)
    let segments = try workspace.segments(lengths)
    let width = queries.layout.width
    let outputs = (queries: try workspace.output(tokens, width), keys: try workspace.output(tokens, width))
    let biasOutput = biases == nil ? nil : try workspace.output(tokens, 2 * types)
    let passBiases = try biases.map {
      PairLossPass.Biases(
        try workspace.upload($0.vectors).tensor, types: types, scale: $0.scale, gradients: biasOutput)
    }
    let pass = PairLossPass(
      kind, queries: try workspace.upload(queries), keys: try workspace.upload(keys), segments: segments,
      scale: scale, triangular: triangular, margin: margin, biases: passBiases, labels: labels,
      backgrounds: backgrounds, weight: weight,
      gradients: (queries.slices(in: outputs.queries), keys.slices(in: outputs.keys)))
    let totals = try pass.append(to: &workspace.submission, on: workspace.engine)
    return Staged(totals: totals, queries: outputs.queries, keys: outputs.keys, biases: biasOutput)
  }

  /// What an engine makes of it.
  struct Results {
    var totals: [Float]
    var queries: [Float]
    var keys: [Float]
    var biases: [Float]

    /// By segment and type.
    var losses: [Float] { stride(from: 0, to: totals.count, by: PairLoss.totalWidth).map { totals[$0] } }
  }

  /// Asks the engine for the loss and all derivatives, guards included.
  func run(on engine: Engine) async throws -> Results {
    var workspace = Workspace(engine)
    let staged = try stage(in: &workspace)
    let downloads = try await workspace.run(
      reading: [staged.totals, staged.queries, staged.keys] + (staged.biases.map { [$0] } ?? [])
    ).map(\.floats)
    return Results(
      totals: downloads[0], queries: downloads[1], keys: downloads[2], biases: downloads.count > 3 ? downloads[3] : [])
  }

  /// Compares what the engine makes of it with the reference.
  func check(on engine: Engine) async throws {
    let cells = Double(lengths.reduce(0, max))
    try await compareWithReference(engine) { workspace in
      let staged = try stage(in: &workspace)
      // Sums of n² terms in float32; scores err by 1e-6, and the slopes with them.
      let tolerance = Tolerance(absolute: 2e-6 * max(1, cells / 16), relative: 2e-5)
      return [
        ComparedOutput(staged.totals, within: Tolerance(absolute: 2e-6, relative: 1e-5), "loss"),
        ComparedOutput(staged.queries, within: tolerance, "derivative by query"),
        ComparedOutput(staged.keys, within: tolerance, "derivative by key"),
      ] + (staged.biases.map { [ComparedOutput($0, within: tolerance, "derivative by bias")] } ?? [])
    }
  }
}
