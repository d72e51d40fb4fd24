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

  func step(_ batch: TrainingBatch, learningRate: Double, number: Int) throws -> Double {
    let count = Double(batch.windows.count)
    let inputs = try batch.windows.map(rows)
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
  private func rows(_ window: TrainingBatch.Window) throws -> [Double] {
    var rows = [Double](repeating: 0, count: window.length * features.hiddenSize)
    let shares = [(window.index, window.weight)] + (window.partner.map { [($0, 1 - window.weight)] } ?? [])
    for (index, share) in shares {
      for (i, value) in try features.rows(of: index).enumerated() { rows[i] += Double(share) * Double(value) }
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

/// A head's loss and gradient in plain loops and double precision, cell by cell as the shapeulas have it.
struct HostHead {
  /// A dense layer's numbers, or their gradient: weights `[outputs, inputs]`, then the bias.
  struct Layer {
    let outputs: Int
    let inputs: Int
    var weights: [Double]
    var bias: [Double]

    init(_ layer: LayerParameters) {
      (outputs, inputs) = (layer.outputs, layer.inputs)
      (weights, bias) = (layer.weights.map(Double.init), layer.bias.map(Double.init))
    }

    init(zerosLike layer: Layer) {
      (outputs, inputs) = (layer.outputs, layer.inputs)
      weights = [Double](repeating: 0, count: outputs * inputs)
      bias = [Double](repeating: 0, count: outputs)
    }

    var parameters: LayerParameters {
      LayerParameters(weights: weights.map(Float.init), bias: bias.map(Float.init), outputs: outputs, inputs: inputs)
    }

    /// `[rows, outputs]` of `x`, `[rows, inputs]`.
    func forward(_ x: [Double]) -> [Double] {
      (0..<x.count / inputs).flatMap { row in
        (0..<outputs).map { output in
          var sum = bias[output]
          for i in 0..<inputs { sum += weights[output * inputs + i] * x[row * inputs + i] }
          return sum
        }
      }
    }

    /// Adds the gradient of the numbers to `into`, given that of the outputs.
    /// - Returns: that of `x`.
    func backward(_ x: [Double], _ gradient: [Double], into: inout Layer) -> [Double] {
      var result = [Double](repeating: 0, count: x.count)
      for row in 0..<x.count / inputs {
        for output in 0..<outputs {
          let g = gradient[row * outputs + output]
          if g == 0 { continue }
          into.bias[output] += g
          for i in 0..<inputs {
            into.weights[output * inputs + i] += g * x[row * inputs + i]
            result[row * inputs + i] += g * weights[output * inputs + i]
          }
        }
      }
      return result
    }
  }

  let shape: HeadShape
  var projection: Layer
  var bias: Layer?

  init(_ head: HeadParameters) {
    shape = head.shape
    projection = Layer(head.projection)
    bias = head.bias.map(Layer.init)
  }

  var parameters: HeadParameters {
    HeadParameters(shape, projection: projection.parameters, bias: bias?.parameters)
  }

  private var d: Int { shape.headSize }
  private func block(_ type: Int) -> Int { shape.kind == .efficient ? 0 : 2 * d * type }

  /// Turns channel pairs of a row at `place`, or back.
  private func turned(_ row: [Double], place: Int, back: Bool = false) -> [Double] {
    guard shape.rope else { return row }
    var result = row
    for i in 0..<d / 2 {
      let angle = Double(place) * pow(10_000, -2 * Double(i) / Double(d)) * (back ? -1 : 1)
      result[2 * i] = row[2 * i] * cos(angle) - row[2 * i + 1] * sin(angle)
      result[2 * i + 1] = row[2 * i + 1] * cos(angle) + row[2 * i] * sin(angle)
    }
    return result
  }

  /// The loss of one window, summed over types; its gradient is added to `projected` and `biased`. `x` is `[n, D]`, and
  /// `background` the label of all cells that are not listed.
  func loss(
    _ x: [Double], _ labels: [PairLabel], background: [Float], _ loss: TrainingRecipe.Loss, into projected: inout Layer,
    _ biased: inout Layer?
  ) -> Double {
    let n = x.count / projection.inputs
    let width = projection.outputs
    let u = projection.forward(x)
    let b = bias?.forward(u)
    var du = [Double](repeating: 0, count: u.count)
    var db = [Double](repeating: 0, count: b?.count ?? 0)
    var total = 0.0
    for type in 0..<shape.types {
      let start = block(type)
      func row(_ place: Int, _ part: Int) -> [Double] {
        turned(Array(u[(place * width + start + part * d)...].prefix(d)), place: place)
      }
      let (queries, keys) = ((0..<n).map { row($0, 0) }, (0..<n).map { row($0, 1) })
      var cells: [(m: Int, k: Int, score: Double, label: Double)] = []
      for m in 1..<n - 1 {
        for k in (shape.triangular ? m : 1)..<n - 1 {
          var score = zip(queries[m], keys[k]).reduce(0) { $0 + $1.0 * $1.1 } / Double(d).squareRoot()
          if let b {
            score +=
              Double(shape.biasScale) * (b[m * 2 * shape.types + type] + b[k * 2 * shape.types + shape.types + type])
          }
          cells.append((m, k, score, Double(background[type])))
        }
      }
      for label in labels where label.type == type {
        if let place = cells.firstIndex(where: { $0.m == label.row && $0.k == label.column }) {
          cells[place].label = Double(label.value)
        }
      }
      let (value, gradients) = Self.loss(cells.map { ($0.score, $0.label) }, loss)
      total += value
      var (dq, dk) = (queries.map { $0.map { _ in 0.0 } }, keys.map { $0.map { _ in 0.0 } })
      for (cell, gradient) in zip(cells, gradients) {
        for i in 0..<d {
          dq[cell.m][i] += gradient * keys[cell.k][i] / Double(d).squareRoot()
          dk[cell.k][i] += gradient * queries[cell.m][i] / Double(d).squareRoot()
        }
        if b != nil {
          db[cell.m * 2 * shape.types + type] += Double(shape.biasScale) * gradient
          db[cell.k * 2 * shape.types + shape.types + type] += Double(shape.biasScale) * gradient
        }
      }
      for place in 0..<n {
        for (part, gradient) in [dq[place], dk[place]].enumerated() {
          for (i, value) in turned(gradient, place: place, back: true).enumerated() {
            du[place * width + start + part * d + i] += value
          }
        }
      }
    }
    if let bias, var gradient = biased {
      for (i, value) in bias.backward(u, db, into: &gradient).enumerated() { du[i] += value }
      biased = gradient
    }
    _ = projection.backward(x, du, into: &projected)
    return total
  }

  /// The loss of one type's cells, and its gradient with respect to their scores.
  static func loss(_ cells: [(score: Double, label: Double)], _ loss: TrainingRecipe.Loss) -> (Double, [Double]) {
    guard loss == .zlpr else {
      let value = cells.reduce(0) { $0 + max($1.score, 0) + log1p(exp(-abs($1.score))) - $1.label * $1.score }
      return (value, cells.map { 1 / (1 + exp(-$0.score)) - $0.label })
    }
    let positive = 1 + cells.reduce(0) { $0 + $1.label * exp(-$1.score) }
    let negative = 1 + cells.reduce(0) { $0 + (1 - $1.label) * exp($1.score) }
    return (
      log(positive) + log(negative),
      cells.map { -$0.label * exp(-$0.score) / positive + (1 - $0.label) * exp($0.score) / negative }
    )
  }
}
