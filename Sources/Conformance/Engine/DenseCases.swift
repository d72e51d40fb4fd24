internal import Engine

extension ConformanceFamily {
  static let dense: ConformanceFamily = "dense"
  static let weightGradient: ConformanceFamily = "weightGradient"
  static let columnSum: ConformanceFamily = "columnSum"
}

/// Dense layers: `activation(input · weightsᵀ + bias) + residual`.
extension ConformanceKit {
  static let denseCases: [ConformanceCase] = {
    var cases: [ConformanceCase] = []
    for activation in [Activation.none, .gelu, .geluTanh, .relu, .silu] {
      for residual in DenseProblem.Residual.allCases {
        for (small, outputs) in [(true, 5), (false, 70)] {
          cases.append(
            dense(
              small: small,
              DenseProblem(
                rows: 9, inputs: small ? 3 : 17, outputs: outputs, activation: activation,
                residual: residual, seed: 301)))
        }
      }
      // Sums over the whole range in which an activation bends.
      cases.append(
        dense(
          DenseProblem(
            rows: 129, inputs: 1, outputs: 3, activation: activation, reach: 14, seed: 302)))
    }
    for outputs in [1, 12, 47, 48, 49, 63, 64, 65, 97] {
      cases.append(dense(DenseProblem(rows: 10, inputs: 17, outputs: outputs, seed: 303)))
    }
    for inputs in [1, 15, 16, 17, 33, 64, 384] {
      cases.append(dense(DenseProblem(rows: 10, inputs: inputs, outputs: 51, seed: 304)))
    }
    for rows in [1, 7, 8, 9, 127, 128, 129] {
      cases.append(
        dense(DenseProblem(rows: rows, inputs: 18, outputs: 50, residual: .separate, seed: 305)))
    }
    cases.append(
      dense(small: true, DenseProblem(rows: 1, inputs: 1, outputs: 1, hasBias: false, seed: 306)))
    cases.append(
      dense(DenseProblem(rows: 20, inputs: 20, outputs: 50, hasBias: false, seed: 307)))
    return cases
  }()

  private static func dense(small: Bool = false, _ problem: DenseProblem) -> ConformanceCase {
    ConformanceCase(.dense, problem.title, small: small, within: problem.tolerance) { workspace in
      [try problem.stage(in: &workspace)]
    }
  }
}

/// One dense layer.
struct DenseProblem: Sendable {
  enum Residual: String, Sendable, CaseIterable {
    case none = "no residual"
    case separate = "residual"
    /// The residual is the result's own tensor.
    case inPlace = "residual in place"
  }

  var rows: Int
  var inputs: Int
  var outputs: Int
  var activation = Activation.none
  var residual = Residual.none
  var hasBias = true
  /// Inputs lie in -reach ... reach.
  var reach: Float = 1
  var draw = Draw.uniform
  var seed: UInt64

  var title: String {
    "\(activation), \(residual.rawValue), \(rows) × \(inputs) -> \(outputs)"
      + (hasBias ? "" : ", no bias") + (reach == 1 ? "" : ", inputs to ±\(reach)")
  }

  var tolerance: Tolerance {
    var tolerance = Tolerance.product(channels: inputs + 1, factor: Double(max(1, reach / 4)))
    // The device's own error function and exponential.
    if [.gelu, .geluTanh, .silu].contains(activation) { tolerance.absolute += 3e-6 }
    return tolerance
  }

  func stage(in workspace: inout Workspace) throws -> Tensor {
    var generator = SplitMix64(seed: seed)
    var input = VectorSet(count: rows, .init(channels: inputs), draw, seed: generator.next())
    input.fill { _, _, _ in draw(&generator) * reach }
    let weights = VectorSet(count: outputs, .init(channels: inputs), draw, seed: generator.next())
    let bias = hasBias ? draw(outputs, &generator) : [Float](repeating: 0, count: outputs)
    let residuals = draw(rows * outputs, &generator)

    let layerWeights = try workspace.denseWeights(weights, bias: bias)
    let out =
      residual == .inPlace
      ? try workspace.output(over: residuals, rows, outputs) : try workspace.output(rows, outputs)
    var layer = DenseLayer(
      try workspace.upload(input).tensor, rows: rows, weights: layerWeights, activation: activation, into: out)
    switch residual {
    case .none: break
    case .separate: layer.residual = try workspace.upload(residuals, rows, outputs)
    case .inPlace: layer.residual = out
    }
    try workspace.append(layer)
    return out
  }
}

/// Gradients of a dense layer's weights: `out[o, c] = Σ_t gradient[t, o] · input[t, c]`.
extension ConformanceKit {
  static let weightGradientCases: [ConformanceCase] = {
    var cases = [
      gradient(WeightGradientProblem(rows: 1, outputs: 1, inputs: 1, seed: 1001), small: true),
      gradient(WeightGradientProblem(rows: 3, outputs: 9, inputs: 5, inSlices: true, seed: 1002), small: true),
      gradient(WeightGradientProblem(rows: 17, outputs: 3, inputs: 50, draw: .exact, seed: 1003), small: true),
      gradient(WeightGradientProblem(rows: 257, outputs: 131, inputs: 101, draw: .exact, seed: 1004)),
      gradient(WeightGradientProblem(rows: 130, outputs: 137, inputs: 139, inSlices: true, seed: 1005)),
      ConformanceCase(.weightGradient, "a part has the bits of the whole", small: true) { engine in
        try await partsHaveTheBitsOfTheWhole(.init(rows: 19, outputs: 10, inputs: 5, seed: 1006), on: engine)
      },
      ConformanceCase(.weightGradient, "a part has the bits of the whole, many tiles") { engine in
        try await partsHaveTheBitsOfTheWhole(.init(rows: 385, outputs: 150, inputs: 130, seed: 1007), on: engine)
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
    ConformanceCase(.weightGradient, problem.title, small: small, within: problem.tolerance) { workspace in
      [try problem.stage(in: &workspace)]
    }
  }

  private static func partsHaveTheBitsOfTheWhole(
    _ problem: WeightGradientProblem, on engine: Engine
  ) async throws {
    let whole = try await problem.run(on: engine)
    var part = problem
    part.chosenOutputs = 7..<problem.outputs
    part.chosenInputs = 2..<problem.inputs - 1
    let result = try await part.run(on: engine)
    let width = part.chosenInputs.count
    for (row, output) in part.chosenOutputs.enumerated() {
      try compareBits(
        Array(result[row * width..<(row + 1) * width]),
        part.chosenInputs.map { whole[output * problem.inputs + $0] }, "output \(output)")
    }
  }
}

/// One gradient.
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
    tolerance = draw.tolerance(channels: rows)
    title =
      "\(rows) rows, \(outputs) × \(inputs)" + (inSlices ? ", in slices" : "") + (draw == .exact ? ", exact" : "")
    chosenOutputs = 0..<outputs
    chosenInputs = 0..<inputs
  }

  /// Adds the gradient of the chosen channels.
  func stage(in workspace: inout Workspace) throws -> Tensor {
    func part(_ slices: HeadSlices, _ range: Range<Int>) -> HeadSlices {
      HeadSlices(slices.tensor, offset: slices.offset + range.lowerBound, channels: range.count)
    }
    let panels = try workspace.packTransposed(part(try workspace.upload(input), chosenInputs), rows: rows)
    let out = try workspace.output(chosenOutputs.count, chosenInputs.count)
    try workspace.append(
      WeightGradient(
        of: part(try workspace.upload(gradient), chosenOutputs), input: panels, inputs: chosenInputs.count,
        rows: rows, into: out))
    return out
  }

  /// The gradient of the chosen channels, and its guard.
  func run(on engine: Engine) async throws -> [Float] {
    var workspace = Workspace(engine)
    return try await workspace.run(reading: try stage(in: &workspace))
  }
}

/// Sums of a matrix's columns.
extension ConformanceKit {
  static let columnSumCases: [ConformanceCase] = {
    typealias Layout = VectorSet.Layout
    var cases = [
      columnSum(small: true, rows: 1, Layout(channels: 1)),
      columnSum(small: true, rows: 3, Layout(channels: 21, before: 3, after: 2), .exact),
      columnSum(rows: 2048, Layout(channels: 67)),
      columnSum(rows: 129, Layout(channels: 1280, before: 1, after: 3), .exact),
      ConformanceCase(.columnSum, "adds the rows in order", small: true) { engine in
        try await addsInOrder(on: engine)
      },
    ]
    for rows in [2, 7, 8, 9, 17] { cases.append(columnSum(rows: rows, Layout(channels: 33))) }
    for columns in [15, 16, 17, 63, 64, 65, 255, 256, 257] {
      cases.append(columnSum(rows: 11, Layout(channels: columns)))
    }
    return cases
  }()

  private static func columnSum(
    small: Bool = false, rows: Int, _ layout: VectorSet.Layout, _ draw: Draw = .uniform
  ) -> ConformanceCase {
    let slice = layout.width == layout.channels ? "" : " of \(layout.width)"
    return ConformanceCase(
      .columnSum, "\(rows) × \(layout.channels)\(slice)", small: small, within: draw.tolerance(channels: rows)
    ) { workspace in
      [try columnSum(of: VectorSet(count: rows, layout, draw, seed: 1101), in: &workspace)]
    }
  }

  private static func columnSum(of matrix: VectorSet, in workspace: inout Workspace) throws -> Tensor {
    let out = try workspace.output(matrix.layout.channels)
    try workspace.append(ColumnSum(of: try workspace.upload(matrix), rows: matrix.count, into: out))
    return out
  }

  /// In order a one is lost in what comes before it, and only then.
  private static func addsInOrder(on engine: Engine) async throws {
    guard engine.device.kind != .reference else { throw Skip(reason: "the reference sums in Double") }
    var matrix = VectorSet(count: 4, .init(channels: 2), .exact, seed: 1)
    let columns: [[Float]] = [[0x1p24, 1, -0x1p24, 1], [1, 0x1p24, -0x1p24, 1]]
    matrix.fill { row, _, channel in columns[channel][row] }
    var workspace = Workspace(engine)
    let result = try await workspace.run(reading: try columnSum(of: matrix, in: &workspace))
    // 2²⁴ + 1 rounds to 2²⁴.
    try compareBits(result, [1, 1, Poison.float], "sums in order")
  }
}
