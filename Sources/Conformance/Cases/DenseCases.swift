internal import Engine
internal import Foundation

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
    ConformanceCase(.dense, problem.title, small: small) { backend in
      try await problem.check(on: backend)
    }
  }
}

/// One dense layer and its exact result.
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
  var seed: UInt64

  var title: String {
    "\(activation), \(residual.rawValue), \(rows) × \(inputs) -> \(outputs)"
      + (hasBias ? "" : ", no bias") + (reach == 1 ? "" : ", inputs to ±\(reach)")
  }

  func check(on backend: any Backend) async throws {
    var generator = SplitMix64(seed: seed)
    var input = VectorSet(
      count: rows, .init(channels: inputs), .uniform, seed: generator.next())
    input.fill { _, _, _ in generator.uniform() * reach }
    let weights = VectorSet(
      count: outputs, .init(channels: inputs), .uniform, seed: generator.next())
    let bias = hasBias ? Draw.uniform(outputs, &generator) : [Float](repeating: 0, count: outputs)
    let residuals = Draw.uniform(rows * outputs, &generator)

    var workspace = Workspace(backend)
    let layerWeights = try workspace.denseWeights(weights, bias: bias)
    let out = try workspace.output(rows, outputs)
    var layer = DenseLayer(
      try workspace.upload(input).tensor, rows: rows, weights: layerWeights,
      activation: activation, into: out.part)
    switch residual {
    case .none: break
    case .separate: layer.residual = try workspace.upload(residuals, rows, outputs)
    case .inPlace:
      try workspace.write(residuals, over: out.part)
      layer.residual = out.part
    }
    try workspace.append(layer)
    let result = try await workspace.run(reading: out)

    let weightVectors = (0..<outputs).map { weights.vector($0) }
    var expected: [Double?] = []
    for row in 0..<rows {
      let vector = input.vector(row)
      for output in 0..<outputs {
        let sum = innerProduct(vector, weightVectors[output]) + Double(bias[output])
        expected.append(
          activated(sum) + (residual == .none ? 0 : Double(residuals[row * outputs + output])))
      }
    }
    var tolerance = Tolerance.product(channels: inputs + 1, factor: Double(max(1, reach / 4)))
    // The device's own error function and exponential.
    if [.gelu, .geluTanh, .silu].contains(activation) { tolerance.absolute += 3e-6 }
    try compare(result, with: expected, shape: [rows, outputs], within: tolerance)
  }

  private func activated(_ x: Double) -> Double {
    switch activation {
    case .none: return x
    case .relu: return x > 0 ? x : 0
    case .silu: return silu(x)
    // x · Φ(x), with Φ by the complementary error function: no cancellation on the far left.
    case .gelu: return x * 0.5 * erfc(-x / 2.0.squareRoot())
    // x · (1 + tanh y) / 2 = x / (1 + exp(-2y))
    case .geluTanh:
      return x / (1 + exp(-2 * (2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    }
  }
}
