extension HeadParameters {
  /// The parameters as tensors: `NAME.projection.weight`, `NAME.projection.bias`, and for an efficient head
  /// `NAME.bias.weight`, `NAME.bias.bias`.
  package func tensors(named name: String) -> [NamedTensor] {
    func tensors(_ layer: LayerParameters, _ part: String) -> [NamedTensor] {
      [
        NamedTensor(name: "\(name).\(part).weight", shape: [layer.outputs, layer.inputs], values: layer.weights),
        NamedTensor(name: "\(name).\(part).bias", shape: [layer.outputs], values: layer.bias),
      ]
    }
    return tensors(projection, "projection") + (bias.map { tensors($0, "bias") } ?? [])
  }

  /// A head of the same form with the parameters that `tensors(named:)` gave.
  /// - Parameters:
  ///   - name: what was given there.
  ///   - tensors: the tensors by their names.
  /// - Returns: nil if one is missing or has another shape.
  package func replacing(named name: String, from tensors: [String: NamedTensor]) -> HeadParameters? {
    func layer(_ old: LayerParameters, _ part: String) -> LayerParameters? {
      guard let weight = tensors["\(name).\(part).weight"], weight.shape == [old.outputs, old.inputs],
        let bias = tensors["\(name).\(part).bias"], bias.shape == [old.outputs]
      else { return nil }
      return LayerParameters(weights: weight.values, bias: bias.values, outputs: old.outputs, inputs: old.inputs)
    }
    guard let projection = layer(projection, "projection") else { return nil }
    var newBias: LayerParameters?
    if let bias {
      guard let layer = layer(bias, "bias") else { return nil }
      newBias = layer
    }
    return HeadParameters(
      kind: kind, dialect: .normal(biasScale: biasScale, biasInput: biasInput), types: types, headSize: headSize,
      rope: rope, triangular: triangular, projection: projection, bias: newBias)
  }

  /// How many numbers there are.
  package var count: Int {
    [projection, bias].reduce(0) { $0 + ($1.map { $0.weights.count + $0.bias.count } ?? 0) }
  }

  var isFinite: Bool {
    [projection, bias].allSatisfy { layer in
      layer.map { $0.weights.allSatisfy(\.isFinite) && $0.bias.allSatisfy(\.isFinite) } ?? true
    }
  }
}
