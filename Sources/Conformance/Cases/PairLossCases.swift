internal import Engine
internal import TokenPairs

/// Losses over token pairs and their derivatives: sizes that straddle tiles, both kinds of head, hard and soft labels,
/// scores that overflow an exponential.
extension ConformanceKit {
  static let pairLossCases: [ConformanceCase] = {
    var cases: [ConformanceCase] = []
    for kind in PairLoss.Kind.allCases {
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
      layout, extremes(small: true), extremes(small: false), masked, hardAreSoft, differences, notANumber,
    ]
  }()

  private static func lossCase(
    _ title: String, small: Bool = false, _ kind: PairLoss.Kind, lengths: [Int], channels: Int, types: Int?,
    share: Double = 0.1, soft: Bool = false, triangular: Bool = true, margin: Int = 0, background: Float = 0,
    seed: UInt64
  ) -> ConformanceCase {
    ConformanceCase(.pairLoss, title, small: small) { backend in
      var problem = LossProblem(
        kind, lengths: lengths, .init(heads: types == nil ? 3 : 1, channels: channels), types: types,
        triangular: triangular, margin: margin, seed: seed)
      problem.label(share: small ? 0.3 : share, soft: soft, seed: seed &+ 50)
      problem.backgrounds = problem.backgrounds.indices.map { background * Float($0 + 1) }
      try await problem.check(on: backend)
    }
  }

  /// Vectors and derivatives that are slices of wider rows.
  private static let layout = ConformanceCase(.pairLoss, "slices of wider rows", small: true) { backend in
    var problem = LossProblem(
      .zlpr, lengths: [3, 9], .init(heads: 2, channels: 5, before: 3, between: 2, after: 4), seed: 1110)
    problem.label(share: 0.2, soft: false, seed: 1111)
    try await problem.check(on: backend)
  }

  /// Scores of ±10⁴: finite losses and derivatives, equal to those of log-sum-exp in Double.
  private static func extremes(small: Bool) -> ConformanceCase {
    ConformanceCase(.pairLoss, "scores of ±10⁴\(small ? ", small" : "")", small: small) { backend in
      for kind in PairLoss.Kind.allCases {
        // One channel, powers of two: scores are known to the bit.
        var problem = LossProblem(
          kind, lengths: small ? [4] : [4, 70], .init(heads: 2, channels: 1), triangular: false, .exact, seed: 1112)
        var generator = SplitMix64(seed: 1113)
        problem.queries.fill { _, _, _ in generator.uniform() < 0 ? -256 : 256 }
        problem.keys.fill { _, _, _ in Float(generator.index(below: 3) - 1) * 160 }
        problem.label(share: 0.2, soft: true, seed: 1114)
        let (expected, got) = (problem.expected(), try await problem.run(on: backend))
        let cells = 70.0
        try compare(
          got.losses, with: expected.losses, shape: [problem.lengths.count, 2],
          within: Tolerance(absolute: 0, relative: 1e-6), "loss")
        // A logarithm near 10⁴ is known to 5e-4, and so is what is divided by its power; queries are 256.
        try compare(
          got.queries, with: expected.queries, shape: [74, 2],
          within: Tolerance(absolute: 64 * 1e-3 * (kind == .zlpr ? 1 : cells * 1e-4), relative: 1e-3), "derivative")
      }
    }
  }

  /// Cells that do not count have no derivative at all, whatever their score.
  private static let masked = ConformanceCase(.pairLoss, "cells that do not count", small: true) { backend in
    var problem = LossProblem(
      .zlpr, lengths: [6], .init(heads: 1, channels: 2), triangular: true, margin: 1, seed: 1115)
    problem.labels = [
      CellLabel(segment: 0, type: 0, start: 0, end: 5), CellLabel(segment: 0, type: 0, start: 3, end: 2),
      CellLabel(segment: 0, type: 0, start: 2, end: 5),
    ]
    let got = try await problem.run(on: backend)
    // The marks pair with nothing; the loss has no positives left.
    for token in [0, 5] {
      guard got.queries[2 * token...2 * token + 1].allSatisfy({ $0 == 0 }),
        got.keys[2 * token...2 * token + 1].allSatisfy({ $0 == 0 })
      else { throw Mismatch("token \(token) lies in the margin and has a derivative") }
    }
    guard got.totals[2] == 0 else { throw Mismatch("labels of cells that do not count give \(got.totals[2])") }
    try await problem.check(on: backend)
  }

  /// Soft labels of 0 and 1 are hard ones, to the bit.
  private static let hardAreSoft = ConformanceCase(.pairLoss, "soft labels of 0 and 1", small: true) { backend in
    var problem = LossProblem(.zlpr, lengths: [7], .init(heads: 1, channels: 4), types: 2, seed: 1116)
    problem.label(share: 0.3, soft: false, seed: 1117)
    let hard = try await problem.run(on: backend)
    for type in 0..<2 {
      for start in 0..<7 {
        for end in 0..<7
        where !problem.labels.contains(where: { $0.type == type && $0.start == start && $0.end == end }) {
          problem.labels.append(CellLabel(segment: 0, type: type, start: start, end: end, value: 0))
        }
      }
    }
    let soft = try await problem.run(on: backend)
    try compareBits(soft.totals, hard.totals, "totals")
    try compareBits(soft.queries, hard.queries, "derivatives by queries")
    try compareBits(soft.keys, hard.keys, "derivatives by keys")
    try compareBits(soft.biases, hard.biases, "derivatives by biases")
  }

  /// Derivatives are central differences of the loss in Double, without any formula for them.
  private static let differences = ConformanceCase(.pairLoss, "derivatives are differences of the loss") { backend in
    for kind in [PairLoss.Kind.zlpr, .binary] {
      for types in [nil, 3] {
        var problem = LossProblem(
          kind, lengths: [5, 3], .init(heads: types == nil ? 2 : 1, channels: 3), types: types, seed: 1120)
        problem.label(share: 0.7, soft: true, seed: 1121)
        let got = try await problem.run(on: backend)
        let parts: [(WritableKeyPath<LossProblem, VectorSet>, [Float], String)] =
          [(\.queries, got.queries, "query"), (\.keys, got.keys, "key")]
          + (types == nil ? [] : [(\.biasVectors, got.biases, "bias")])
        for (set, derivatives, name) in parts {
          let vectors = problem[keyPath: set]
          for row in 0..<vectors.count {
            for head in 0..<vectors.layout.heads {
              for channel in 0..<vectors.layout.channels {
                let place = (row * vectors.layout.heads + head) * vectors.layout.channels + channel
                let exact = problem.difference(set, row, head, channel)
                guard abs(Double(derivatives[place]) - exact) <= 2e-6 + 2e-5 * abs(exact) else {
                  throw Mismatch("\(kind), \(name) \(place): \(derivatives[place]), the difference is \(exact)")
                }
              }
            }
          }
        }
      }
    }
  }

  /// A query that is not a number makes a loss that is none, and derivatives: nobody trains on silently.
  private static let notANumber = ConformanceCase(.pairLoss, "a query is not a number", small: true) { backend in
    for kind in PairLoss.Kind.allCases {
      var problem = LossProblem(kind, lengths: [4, 3], .init(heads: 1, channels: 2), seed: 1118)
      problem.queries.fill { row, _, channel in row == 2 && channel == 1 ? .nan : 0.5 }
      let got = try await problem.run(on: backend)
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

extension LossProblem {
  /// The biases of a head that has them.
  fileprivate var biasVectors: VectorSet {
    get { biases?.vectors ?? queries }
    set { biases?.vectors = newValue }
  }

  /// What one element does to the whole loss: `(L(x + h) - L(x - h)) / 2h`, h a power of two.
  fileprivate func difference(
    _ set: WritableKeyPath<LossProblem, VectorSet>, _ row: Int, _ head: Int, _ channel: Int
  ) -> Double {
    let kept = self[keyPath: set]
    func moved(by step: Float) -> (loss: Double, element: Double) {
      var problem = self
      problem[keyPath: set].fill {
        Float(kept.vector($0, head: $1)[$2]) + ($0 == row && $1 == head && $2 == channel ? step : 0)
      }
      return (
        Double(weight) * problem.expected().losses.reduce(0, +), problem[keyPath: set].vector(row, head: head)[channel]
      )
    }
    let (above, below) = (moved(by: 0x1p-9), moved(by: -0x1p-9))
    return (above.loss - below.loss) / (above.element - below.element)
  }
}
