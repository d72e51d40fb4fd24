package import Engine
internal import ModelFiles

/// Reads the tensors of a weight source onto a device, with the shapes that a network expects.
package struct WeightReader: Sendable {
  private let source: any WeightSource
  private let prefix: String
  private let engine: Engine

  package init(source: any WeightSource, prefix: String, engine: Engine) {
    self.source = source
    self.prefix = prefix
    self.engine = engine
  }

  /// A reader for the tensors whose names go on with `part`.
  package func scoped(_ part: String) -> WeightReader {
    WeightReader(source: source, prefix: prefix + part, engine: engine)
  }

  /// `name.weight`, as it is.
  package func table(_ name: String, _ shape: [Int]) async throws -> Tensor {
    let elements = try source.floats(named: prefix + name + ".weight", shape: shape)
    return try await engine.upload(.float32(elements), shape: shape)
  }

  /// `name.weight` `[outputs, inputs]` and `name.bias` `[outputs]` of one layer, or of several stacked into one.
  package func dense(_ names: [String], outputs: Int, inputs: Int) async throws -> DenseWeights {
    var weights: [Float] = []
    var bias: [Float] = []
    for name in names {
      weights += try source.floats(named: prefix + name + ".weight", shape: [outputs, inputs])
      bias += try source.floats(named: prefix + name + ".bias", shape: [outputs])
    }
    return try await engine.makeDenseWeights(weights, bias: bias, outputs: names.count * outputs, inputs: inputs)
  }

  /// `name.weight` and `name.bias`, both `[width]`.
  package func normalization(_ name: String, _ width: Int, epsilon: Double) async throws -> NormalizationWeights {
    let gain = try source.floats(named: prefix + name + ".weight", shape: [width])
    let bias = try source.floats(named: prefix + name + ".bias", shape: [width])
    return NormalizationWeights(
      gain: try await engine.upload(.float32(gain), shape: [width]),
      bias: try await engine.upload(.float32(bias), shape: [width]), epsilon: Float(epsilon))
  }
}

/// A layer normalisation's parameters.
package struct NormalizationWeights: Sendable {
  package let gain: Tensor
  package let bias: Tensor
  package let epsilon: Float

  /// The operation that normalises `input`.
  package func of(_ input: Tensor, rows: Int, into out: Tensor) -> any DeviceOperation {
    LayerNormalization(input, rows: rows, gain: gain, bias: bias, epsilon: epsilon, into: out)
  }
}
