internal import Engine

extension HeadParameters {
  /// The heads of a model that has learned nothing: the span head, then the head and tail heads of links if there are
  /// links.
  ///
  /// Every number is uniform in ±1/√inputs, as PyTorch's `nn.Linear` begins: `(2 u - 1) · (1/√inputs)`, `u` having 24
  /// bits, in float32. They are drawn from one generator, head after head: the projection's weights, row major, its bias,
  /// then those of the bias layer.
  ///
  /// - Parameters:
  ///   - recipe: says their kind and size, and the seed.
  ///   - inventory: says how many types they have.
  ///   - hiddenSize: the width of the encoder's output.
  /// - Returns: one head for entities, three for relations and events.
  package static func initial(
    _ recipe: TrainingRecipe, _ inventory: LabelInventory, hiddenSize: Int
  ) -> [HeadParameters] {
    var generator = TrainingRandom.generator(seed: recipe.seed, .parameters)
    func head(types: Int, rope: Bool, triangular: Bool) -> HeadParameters {
      let block = 2 * recipe.headSize
      let isEfficient = recipe.head == .efficient
      let projection = LayerParameters.initial(
        outputs: isEfficient ? block : types * block, inputs: hiddenSize, from: &generator)
      let bias = isEfficient ? LayerParameters.initial(outputs: 2 * types, inputs: block, from: &generator) : nil
      return HeadParameters(
        kind: recipe.head, dialect: .normal, types: types, headSize: recipe.headSize, rope: rope,
        triangular: triangular, projection: projection, bias: bias)
    }
    var heads = [head(types: inventory.labels.count, rope: true, triangular: true)]
    if !inventory.links.isEmpty {
      // Pairs of first tokens have no order in a relation; in an event each pair is scored once.
      for _ in 0..<2 {
        heads.append(head(types: inventory.links.count, rope: false, triangular: recipe.task == .events))
      }
    }
    return heads
  }
}

extension LayerParameters {
  fileprivate static func initial(outputs: Int, inputs: Int, from generator: inout SplitMix64) -> LayerParameters {
    let bound = Float(1 / Double(inputs).squareRoot())
    func draw(_ count: Int) -> [Float] { (0..<count).map { _ in (2 * generator.float() - 1) * bound } }
    let weights = draw(outputs * inputs)
    return LayerParameters(weights: weights, bias: draw(outputs), outputs: outputs, inputs: inputs)
  }
}
