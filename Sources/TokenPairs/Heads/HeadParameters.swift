internal import ModelFiles

/// The two kinds of token-pair head.
public enum HeadKind: String, Sendable, Hashable, Codable, CaseIterable {
  /// A query and a key for every type (Su et al., "Global Pointer", 2022).
  case globalPointer = "globalpointer"
  /// One query and one key for all types, told apart by two biases (Su, "Efficient GlobalPointer", 2022).
  case efficient
}

/// What a head computes, whatever its numbers are.
package struct HeadShape: Sendable, Hashable {
  package var kind: HeadKind
  /// Score matrices: one a label, or one a predicate.
  package var types: Int
  /// Channels of a query and of a key.
  package var headSize: Int
  /// Queries and keys are rotated by their positions.
  package var rope: Bool
  /// Only cells whose row is not after their column are scored.
  package var triangular: Bool
  /// Efficient only: the factor of the biases.
  package var biasScale: Float
  /// Efficient only: what the bias layer reads.
  package var biasInput: HeadDialect.BiasInput

  package init(
    kind: HeadKind, types: Int, headSize: Int, rope: Bool, triangular: Bool,
    biasScale: Float = HeadDialect.normal.biasScale, biasInput: HeadDialect.BiasInput = HeadDialect.normal.biasInput
  ) {
    self.kind = kind
    self.types = types
    self.headSize = headSize
    self.rope = rope
    self.triangular = triangular
    self.biasScale = biasScale
    self.biasInput = biasInput
  }

  /// Pairs of a query and a key: one a type, or one for all types.
  var products: Int { kind == .efficient ? 1 : types }
  /// Outputs of the projection: a block `[query | key]` for each product.
  var projectionWidth: Int { products * 2 * headSize }
  /// Factor of a product of query and key.
  package var scale: Float { 1 / Float(headSize).squareRoot() }

  /// Inputs of an efficient head's bias layer.
  func biasInputs(hiddenSize: Int) -> Int { biasInput == .hidden ? hiddenSize : projectionWidth }
}

/// One dense layer's numbers: weights `[outputs, inputs]`, row major, and a bias.
package struct LayerParameters: Sendable, Hashable {
  package var weights: [Float]
  package var bias: [Float]
  package let outputs: Int
  package let inputs: Int

  package init(weights: [Float], bias: [Float], outputs: Int, inputs: Int) {
    precondition(weights.count == outputs * inputs && bias.count == outputs)
    self.weights = weights
    self.bias = bias
    self.outputs = outputs
    self.inputs = inputs
  }

  /// Reads `name.weight` and `name.bias`, and brings them into order.
  init(
    _ checkpoint: Checkpoint, _ name: String, outputs: Int, inputs: Int, isTransposed: Bool, order: LayerOrder
  ) throws(ModelFileError) {
    func ordered(_ part: String, _ shape: [Int], isTransposed: Bool) throws(ModelFileError) -> [Float] {
      let stored = try checkpoint.floats(named: "\(name).\(part)", shape: shape)
      guard isTransposed || order != .asStored else { return stored }
      return order.applied(to: StoredTensor(floats: stored, shape: shape), isTransposed: isTransposed).floats ?? []
    }
    self.init(
      weights: try ordered(
        "weight", isTransposed ? [inputs, outputs] : [outputs, inputs], isTransposed: isTransposed),
      bias: try ordered("bias", [outputs], isTransposed: false), outputs: outputs, inputs: inputs)
  }

  /// How many numbers there are.
  var count: Int { weights.count + bias.count }

  var isFinite: Bool { weights.allSatisfy(\.isFinite) && bias.allSatisfy(\.isFinite) }
}

/// A head's parameters in normal form.
package struct HeadParameters: Sendable, Hashable {
  package let shape: HeadShape
  /// GlobalPointer: `types · 2 · headSize` outputs, a block `[query | key]` a type. Efficient: one such block.
  package var projection: LayerParameters
  /// Efficient only: `2 · types` outputs, start biases then end biases.
  package var bias: LayerParameters?

  package init(_ shape: HeadShape, projection: LayerParameters, bias: LayerParameters? = nil) {
    self.shape = shape
    self.projection = projection
    self.bias = bias
  }

  /// The projection, and the bias layer if there is one.
  var layers: [LayerParameters] { [projection] + (bias.map { [$0] } ?? []) }

  /// How many numbers there are.
  package var count: Int { layers.reduce(0) { $0 + $1.count } }

  var isFinite: Bool { layers.allSatisfy(\.isFinite) }

  /// A head of the same shape with other layers, as many as `layers` are.
  func replacingLayers(_ layers: [LayerParameters]) -> HeadParameters {
    precondition(layers.count == self.layers.count)
    return HeadParameters(shape, projection: layers[0], bias: layers.count > 1 ? layers[1] : nil)
  }
}

// MARK: As named tensors

/// A tensor of a training's state.
package struct NamedTensor: Sendable, Hashable {
  package let name: String
  package let shape: [Int]
  /// Row major; as many as the shape says.
  package let values: [Float]

  package init(name: String, shape: [Int], values: [Float]) {
    precondition(shape.reduce(1, *) == values.count)
    self.name = name
    self.shape = shape
    self.values = values
  }
}

extension HeadParameters {
  /// What the layers are called in the names of tensors.
  private static let layerNames = ["projection", "bias"]

  /// The parameters as tensors: `NAME.projection.weight`, `NAME.projection.bias`, and for an efficient head
  /// `NAME.bias.weight`, `NAME.bias.bias`.
  package func tensors(named name: String) -> [NamedTensor] {
    zip(Self.layerNames, layers).flatMap { part, layer in
      [
        NamedTensor(name: "\(name).\(part).weight", shape: [layer.outputs, layer.inputs], values: layer.weights),
        NamedTensor(name: "\(name).\(part).bias", shape: [layer.outputs], values: layer.bias),
      ]
    }
  }

  /// A head of the same shape with the parameters that `tensors(named:)` gave.
  /// - Parameters:
  ///   - name: what was given there.
  ///   - tensors: the tensors by their names.
  /// - Returns: nil if one is missing or has another shape.
  package func replacing(named name: String, from tensors: [String: NamedTensor]) -> HeadParameters? {
    let replaced = zip(Self.layerNames, layers).compactMap { part, layer -> LayerParameters? in
      guard let weight = tensors["\(name).\(part).weight"], weight.shape == [layer.outputs, layer.inputs],
        let bias = tensors["\(name).\(part).bias"], bias.shape == [layer.outputs]
      else { return nil }
      return LayerParameters(weights: weight.values, bias: bias.values, outputs: layer.outputs, inputs: layer.inputs)
    }
    return replaced.count == layers.count ? replacingLayers(replaced) : nil
  }
}
