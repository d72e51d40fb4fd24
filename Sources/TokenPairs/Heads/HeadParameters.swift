package import ModelFiles

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

  /// Reads `name.weight` and `name.bias`.
  package init(
    _ checkpoint: Checkpoint, _ name: String, outputs: Int, inputs: Int, storedInputsFirst: Bool
  ) throws(ModelFileError) {
    let shape = storedInputsFirst ? [inputs, outputs] : [outputs, inputs]
    var weights = try checkpoint.floats(named: name + ".weight", shape: shape)
    if storedInputsFirst {
      let stored = weights
      for o in 0..<outputs { for i in 0..<inputs { weights[o * inputs + i] = stored[i * outputs + o] } }
    }
    self.init(
      weights: weights, bias: try checkpoint.floats(named: name + ".bias", shape: [outputs]), outputs: outputs,
      inputs: inputs)
  }

  /// The layer with its outputs in another order: output `r` is what output `source(r)` was.
  func outputsReordered(_ source: (Int) -> Int) -> LayerParameters {
    var result = self
    for row in 0..<outputs {
      let from = source(row)
      result.bias[row] = bias[from]
      for i in 0..<inputs { result.weights[row * inputs + i] = weights[from * inputs + i] }
    }
    return result
  }

  /// The layer with its inputs in another order: input `c` is what input `source(c)` was.
  func inputsReordered(_ source: (Int) -> Int) -> LayerParameters {
    var result = self
    for column in 0..<inputs {
      let from = source(column)
      for o in 0..<outputs { result.weights[o * inputs + column] = weights[o * inputs + from] }
    }
    return result
  }
}

/// The two kinds of token-pair head.
public enum HeadKind: String, Sendable, Hashable, Codable, CaseIterable {
  /// A query and a key for every type (Su et al., "Global Pointer", 2022).
  case globalPointer = "globalpointer"
  /// One query and one key for all types, told apart by two biases (Su, "Efficient GlobalPointer", 2022).
  case efficient
}

/// A head's parameters in normal form.
package struct HeadParameters: Sendable, Hashable {
  package let kind: HeadKind
  package let types: Int
  package let headSize: Int
  package let rope: Bool
  package let triangular: Bool
  /// GlobalPointer: `types · 2 · headSize` outputs, a block `[query | key]` a type. Efficient: one such block.
  package let projection: LayerParameters
  /// Efficient only: `2 · types` outputs, start biases then end biases.
  package let bias: LayerParameters?
  package let biasScale: Float
  package let biasInput: HeadDialect.BiasInput

  /// Brings stored layers into normal form.
  package init(
    kind: HeadKind, dialect: HeadDialect, types: Int, headSize: Int, rope: Bool, triangular: Bool,
    projection: LayerParameters, bias: LayerParameters? = nil
  ) {
    self.kind = kind
    self.types = types
    self.headSize = headSize
    self.triangular = triangular
    biasScale = dialect.biasScale
    biasInput = dialect.biasInput
    switch kind {
    case .globalPointer:
      self.rope = rope && !dialect.plainHeadIsUnrotated
      self.projection = projection
      self.bias = nil
    case .efficient:
      self.rope = rope
      let order = { dialect.projectionRow($0, headSize: headSize) }
      self.projection = projection.outputsReordered(order)
      var ordered = bias?.outputsReordered { dialect.biasRow($0, types: types) }
      // The bias layer reads the projection, whose channels have just moved.
      if dialect.biasInput == .projection { ordered = ordered?.inputsReordered(order) }
      self.bias = ordered
    }
  }
}
