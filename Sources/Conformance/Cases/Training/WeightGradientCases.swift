internal import Engine

/// Gradients of a dense layer's weights: `out[o, c] = Σ_t gradient[t, o] · input[t, c]`.
extension ConformanceKit {
  static let weightGradientCases: [ConformanceCase] = {
    var cases = [
      gradient(WeightGradientProblem(rows: 1, outputs: 1, inputs: 1, seed: 1001), small: true),
      gradient(WeightGradientProblem(rows: 3, outputs: 9, inputs: 5, inSlices: true, seed: 1002), small: true),
      gradient(WeightGradientProblem(rows: 17, outputs: 3, inputs: 50, draw: .exact, seed: 1003), small: true),
      gradient(WeightGradientProblem(rows: 257, outputs: 131, inputs: 101, draw: .exact, seed: 1004)),
      gradient(WeightGradientProblem(rows: 130, outputs: 137, inputs: 139, inSlices: true, seed: 1005)),
      ConformanceCase(.weightGradient, "a part has the bits of the whole", small: true) { backend in
        try await partsHaveTheBitsOfTheWhole(.init(rows: 19, outputs: 10, inputs: 5, seed: 1006), on: backend)
      },
      ConformanceCase(.weightGradient, "a part has the bits of the whole, many tiles") { backend in
        try await partsHaveTheBitsOfTheWhole(.init(rows: 385, outputs: 150, inputs: 130, seed: 1007), on: backend)
      },
    ]
    for rows in [2, 15, 16, 31, 33, 129, 1025] {
      cases.append(gradient(WeightGradientProblem(rows: rows, outputs: 10, inputs: 50, seed: 1010)))
    }
    for outputs in [1, 7, 8, 11, 127, 128, 129] {
      cases.append(gradient(WeightGradientProblem(rows: 18, outputs: outputs, inputs: 51, seed: 1011)))
    }
    for inputs in [1, 47, 48, 49, 63, 64, 65, 97] {
      cases.append(gradient(WeightGradientProblem(rows: 19, outputs: 9, inputs: inputs, seed: 1012)))
    }
    return cases
  }()

  private static func gradient(_ problem: WeightGradientProblem, small: Bool = false) -> ConformanceCase {
    ConformanceCase(.weightGradient, problem.title, small: small) { backend in
      let result = try await problem.run(on: backend)
      try compare(
        result, with: problem.expected, shape: [problem.outputs, problem.inputs], within: problem.tolerance)
    }
  }

  private static func partsHaveTheBitsOfTheWhole(
    _ problem: WeightGradientProblem, on backend: any Backend
  ) async throws {
    let whole = try await problem.run(on: backend)
    var part = problem
    part.chosenOutputs = 7..<problem.outputs
    part.chosenInputs = 2..<problem.inputs - 1
    let result = try await part.run(on: backend)
    let width = part.chosenInputs.count
    for (row, output) in part.chosenOutputs.enumerated() {
      try compareBits(
        Array(result[row * width..<(row + 1) * width]),
        part.chosenInputs.map { whole[output * problem.inputs + $0] }, "output \(output)")
    }
  }
}

/// One gradient and its exact result.
private struct WeightGradientProblem: Sendable {
  let rows: Int
  let outputs: Int
  let inputs: Int
  let gradient: VectorSet
  let input: VectorSet
  let tolerance: Tolerance
  let title: String
  /// The channels that are asked for.
  var chosenOutputs: Range<Int>
  var chosenInputs: Range<Int>

  init(rows: Int, outputs: Int, inputs: Int, inSlices: Bool = false, draw: Draw = .uniform, seed: UInt64) {
    let margin = inSlices ? 3 : 0
    self.rows = rows
    self.outputs = outputs
    self.inputs = inputs
    gradient = VectorSet(
      count: rows, .init(channels: outputs, before: 2 * margin, after: margin), draw, seed: seed)
    input = VectorSet(count: rows, .init(channels: inputs, before: margin, after: margin), draw, seed: seed + 100)
    var isExact = false
    if case .exact = draw { isExact = true }
    tolerance = isExact ? .exact : .product(channels: rows)
    title =
      "\(rows) rows, \(outputs) × \(inputs)" + (inSlices ? ", in slices" : "") + (isExact ? ", exact" : "")
    chosenOutputs = 0..<outputs
    chosenInputs = 0..<inputs
  }

  /// The gradient of the chosen channels, and its guard.
  func run(on backend: any Backend) async throws -> [Float] {
    func part(_ slices: HeadSlices, _ range: Range<Int>) -> HeadSlices {
      HeadSlices(slices.tensor, offset: slices.offset + range.lowerBound, channels: range.count)
    }
    var workspace = Workspace(backend)
    let panels = try workspace.packTransposed(part(try workspace.upload(input), chosenInputs), rows: rows)
    let out = try workspace.output(chosenOutputs.count, chosenInputs.count)
    try workspace.append(
      WeightGradient(
        of: part(try workspace.upload(gradient), chosenOutputs), input: panels, inputs: chosenInputs.count,
        rows: rows, into: out.part))
    return try await workspace.run(reading: out)
  }

  /// All channels' sums.
  var expected: [Double?] {
    var sums = [Double](repeating: 0, count: outputs * inputs)
    for row in 0..<rows {
      let (gradients, values) = (gradient.vector(row), input.vector(row))
      for (o, slope) in gradients.enumerated() {
        for (c, value) in values.enumerated() { sums[o * inputs + c] += slope * value }
      }
    }
    return sums
  }
}
