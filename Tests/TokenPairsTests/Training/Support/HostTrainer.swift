import Foundation

@testable import TokenPairs

/// Heads that learn computed in plain loops and double precision: AdamW (Loshchilov and Hutter, 2019) with the gradient's norm
/// limited, as PyTorch has both.
actor HostTrainer: TrainableModel {
  private var heads: [HostHead]
  private var first: [[HostHead.Layer]]
  private var second: [[HostHead.Layer]]
  private let recipe: TrainingRecipe
  private let features: any FeatureSource

  init(_ heads: [HeadParameters], _ recipe: TrainingRecipe, features: any FeatureSource) {
    self.heads = heads.map(HostHead.init)
    first = self.heads.map { Self.layers($0).map { HostHead.Layer(zerosLike: $0) } }
    second = first
    self.recipe = recipe
    self.features = features
  }

  private static func layers(_ head: HostHead) -> [HostHead.Layer] {
    [head.projection] + (head.bias.map { [$0] } ?? [])
  }

  func step(_ batch: TrainingBatch, learningRate: Double, number: Int) -> Double {
    let count = Double(batch.windows.count)
    let inputs = batch.windows.map(rows)
    var total = 0.0
    var gradients: [[HostHead.Layer]] = []
    for (head, labels) in zip(heads, batch.labels) {
      var projection = HostHead.Layer(zerosLike: head.projection)
      var bias = head.bias.map { HostHead.Layer(zerosLike: $0) }
      for (x, cells) in zip(inputs, labels.cells) {
        total += head.loss(x, cells, background: labels.background, recipe.loss, into: &projection, &bias) / count
      }
      gradients.append([projection] + (bias.map { [$0] } ?? []))
    }
    let norm =
      gradients.joined().reduce(0) { sum, layer in
        sum + (layer.weights + layer.bias).reduce(0) { $0 + $1 * $1 }
      }.squareRoot() / count
    let scale = min(1, recipe.maximumGradientNorm / (norm + 1e-6)) / count
    for index in heads.indices {
      for (place, gradient) in gradients[index].enumerated() {
        var layer = place == 0 ? heads[index].projection : heads[index].bias ?? gradient
        func update(
          _ numbers: inout [Double], _ slopes: [Double], _ m: inout [Double], _ v: inout [Double], decay: Double
        ) {
          for i in numbers.indices {
            let slope = scale * slopes[i]
            m[i] = Self.stored(recipe.beta1 * m[i] + (1 - recipe.beta1) * slope)
            v[i] = Self.stored(recipe.beta2 * v[i] + (1 - recipe.beta2) * slope * slope)
            let mean = m[i] / (1 - pow(recipe.beta1, Double(number)))
            let square = v[i] / (1 - pow(recipe.beta2, Double(number)))
            let change = decay * numbers[i] + mean / (square.squareRoot() + recipe.epsilon)
            numbers[i] = Self.stored(numbers[i] - learningRate * change)
          }
        }
        update(
          &layer.weights, gradient.weights, &first[index][place].weights, &second[index][place].weights,
          decay: recipe.weightDecay)
        update(&layer.bias, gradient.bias, &first[index][place].bias, &second[index][place].bias, decay: 0)
        if place == 0 { heads[index].projection = layer } else { heads[index].bias = layer }
      }
    }
    return total
  }

  /// A window's rows, mixed with its partner's.
  private func rows(_ window: TrainingBatch.Window) -> [Double] {
    var rows = [Double](repeating: 0, count: window.length * features.hiddenSize)
    let shares = [(window.index, window.weight)] + (window.partner.map { [($0, 1 - window.weight)] } ?? [])
    for (index, share) in shares {
      for (i, value) in features.rows(of: index).enumerated() { rows[i] += Double(share) * Double(value) }
    }
    return rows
  }

  func parameters() -> [HeadParameters] { heads.map(\.parameters) }

  func state() -> [NamedTensor] {
    heads.indices.flatMap { head in
      [Self.layers(heads[head]), first[head], second[head]].enumerated().flatMap { part, layers in
        layers.enumerated().flatMap { place, layer in
          [("weight", layer.weights), ("bias", layer.bias)].map { name, values in
            NamedTensor(
              name: "\(head).\(part).\(place).\(name)", shape: [values.count], values: values.map { Float($0) })
          }
        }
      }
    }
  }

  func restore(_ state: [NamedTensor]) throws {
    let tensors = Dictionary(uniqueKeysWithValues: state.map { ($0.name, $0.values.map { Double($0) }) })
    func fill(_ layer: inout HostHead.Layer, _ name: String) throws {
      guard let weights = tensors[name + ".weight"], weights.count == layer.weights.count,
        let bias = tensors[name + ".bias"], bias.count == layer.bias.count
      else { throw TrainingError("the state is of another model") }
      (layer.weights, layer.bias) = (weights, bias)
    }
    for head in heads.indices {
      try fill(&heads[head].projection, "\(head).0.0")
      if var bias = heads[head].bias {
        try fill(&bias, "\(head).0.1")
        heads[head].bias = bias
      }
      for place in first[head].indices {
        try fill(&first[head][place], "\(head).1.\(place)")
        try fill(&second[head][place], "\(head).2.\(place)")
      }
    }
  }

  /// What is kept from step to step is float32, as a checkpoint has it.
  private static func stored(_ value: Double) -> Double { Double(Float(value)) }
}
