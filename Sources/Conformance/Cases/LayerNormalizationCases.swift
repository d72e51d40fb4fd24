internal import Engine

/// Layer normalisation of rows of every width, and of rows that are hard to normalise.
extension ConformanceKit {
  static let layerNormalizationCases: [ConformanceCase] = {
    var cases: [ConformanceCase] = []
    for width in [1, 3, 15, 16, 17, 63, 64, 65, 255, 256, 257, 384, 385] {
      cases.append(
        normalization("width \(width)", small: [1, 3, 17].contains(width), rows: 5, width: width))
    }
    cases += [
      normalization("one row", rows: 1, width: 384),
      normalization("129 rows", rows: 129, width: 48),
      // Rows without variance: epsilon alone keeps the quotient finite.
      normalization(
        "constant rows", small: true, rows: 3, width: 20, spread: 0, offset: 2.5, epsilon: 1e-5,
        within: 2e-3),
      normalization(
        "constant rows of zeros", rows: 3, width: 385, spread: 0, offset: 0, epsilon: 1e-5),
      // A variance taken from sums of squares would lose every digit here.
      normalization("large offset", small: true, rows: 3, width: 33, offset: 1000, within: 1e-3),
      normalization("large offset, wide", rows: 3, width: 384, offset: -1000, within: 1e-3),
      normalization("larger offset", rows: 3, width: 384, offset: 10_000, within: 1e-2),
      normalization("large values", rows: 3, width: 100, spread: 1e6),
      normalization("tiny values", rows: 3, width: 100, spread: 1e-3, epsilon: 1e-12),
      normalization("epsilon above the variance", rows: 3, width: 100, epsilon: 10),
    ]
    return cases
  }()

  private static func normalization(
    _ title: String, small: Bool = false, rows: Int, width: Int, spread: Float = 1,
    offset: Float = 0, epsilon: Float = 1e-6, within tolerance: Double = 1e-5
  ) -> ConformanceCase {
    ConformanceCase(.layerNormalization, title, small: small) { backend in
      var generator = SplitMix64(seed: 401 + UInt64(width))
      var input = VectorSet(count: rows, .init(channels: width), .uniform, seed: 1)
      input.fill { _, _, _ in offset + generator.uniform() * spread }
      let gain = Draw.uniform(width, &generator)
      let bias = Draw.uniform(width, &generator)

      var workspace = Workspace(backend)
      let out = try workspace.output(rows, width)
      try workspace.append(
        LayerNormalization(
          try workspace.upload(input).tensor, rows: rows,
          gain: try workspace.upload(gain + Poison.floats(1), width + 1),
          bias: try workspace.upload(bias + Poison.floats(1), width + 1), epsilon: epsilon,
          into: out.part))
      let result = try await workspace.run(reading: out)

      var expected: [Double?] = []
      for row in 0..<rows {
        let x = input.vector(row)
        var mean = 0.0
        for value in x { mean += value / Double(width) }
        var variance = 0.0
        for value in x { variance += (value - mean) * (value - mean) / Double(width) }
        let deviation = (variance + Double(epsilon)).squareRoot()
        for (c, value) in x.enumerated() {
          expected.append((value - mean) / deviation * Double(gain[c]) + Double(bias[c]))
        }
      }
      try compare(
        result, with: expected, shape: [rows, width], within: Tolerance(absolute: tolerance))
    }
  }
}
