internal import Engine

/// Heads that learn on a device. Parameters, moments and gradients stay there; a step is one submission, from features to
/// changed parameters.
actor DeviceTrainer: TrainableModel {
  private let heads: [TrainableHead]
  /// Heads of the same shapes, with the numbers that training began with.
  private let initial: [HeadParameters]
  private let recipe: TrainingRecipe
  private let features: any FeatureSource
  private let engine: Engine

  /// Brings heads to a device.
  ///
  /// - Parameters:
  ///   - heads: the parameters to begin with.
  ///   - recipe: loss and optimiser.
  ///   - features: those of the training windows.
  ///   - engine: the device.
  /// - Throws: `EngineError` if the device has no room.
  init(
    _ heads: [HeadParameters], _ recipe: TrainingRecipe, features: any FeatureSource, on engine: Engine
  ) async throws {
    initial = heads
    self.recipe = recipe
    self.features = features
    self.engine = engine
    let positions = features.lengths.max() ?? 1
    var trainable: [TrainableHead] = []
    for head in heads { trainable.append(try await TrainableHead(head, positions: positions, on: engine)) }
    self.heads = trainable
    try await write(heads.map { $0.withMoments() })
  }

  func step(_ batch: TrainingBatch, learningRate: Double, number: Int) async throws -> Double {
    var submission = Submission()
    let input = try BatchFeatures(batch, of: features, on: engine, in: &submission)
    let kind: PairLoss.Formula = recipe.loss == .zlpr ? .zlpr : .binary
    let count = batch.windows.count
    for (head, labels) in zip(heads, batch.labels) {
      let totals = try head.append(
        input, labels: labels, loss: kind, weight: 1 / Float(count), in: &submission)
      try submission.download(totals)
    }
    try appendUpdate(learningRate: learningRate, number: number, to: &submission)
    let totals = try await engine.run(submission)
    let losses = totals.lazy.map(\.floats).flatMap { totals in
      stride(from: 0, to: totals.count, by: PairLoss.totalWidth).map { Double(totals[$0]) }
    }
    return losses.reduce(0, +) / Double(count)
  }

  private func appendUpdate(
    learningRate: Double, number: Int, to submission: inout Submission
  ) throws(EngineError) {
    let layers = heads.flatMap(\.layers)
    let gradients = layers.flatMap { $0.parameters.map(\.gradient) }
    let squares = try engine.makeTensor(.float32, gradients.reduce(0) { $0 + SquareSum.slots(for: $1) })
    var slot = 0
    for gradient in gradients {
      try submission.append(SquareSum(of: gradient, into: squares, slot: slot))
      slot += SquareSum.slots(for: gradient)
    }
    for layer in layers {
      for (index, parameter) in layer.parameters.enumerated() {
        let settings = AdamWStep.Settings(
          learningRate: learningRate, beta1: recipe.beta1, beta2: recipe.beta2, epsilon: recipe.epsilon,
          weightDecay: index == 0 ? recipe.weightDecay : 0, maximumNorm: recipe.maximumGradientNorm, number: number)
        try submission.append(
          AdamWStep(
            parameter.value, firstMoment: parameter.firstMoment, secondMoment: parameter.secondMoment,
            gradient: parameter.gradient, squares: squares, settings: settings))
      }
    }
  }

  func parameters() async throws -> [HeadParameters] { try await read().map(\.value) }

  func state() async throws -> [NamedTensor] {
    try await read().enumerated().flatMap { index, head in head.tensors(named: "head\(index)") }
  }

  func restore(_ state: [NamedTensor]) async throws {
    let tensors = Dictionary(state.map { ($0.name, $0) }) { $1 }
    try await write(
      try initial.indices.map { index in
        guard let learnt = LearntHead(initial[index], named: "head\(index)", from: tensors) else {
          throw TrainingError("the state is of another model")
        }
        return learnt
      })
  }

  // MARK: To and from the device

  private func write(_ learnt: [LearntHead]) async throws {
    var submission = Submission()
    for (head, learnt) in zip(heads, learnt) {
      for (part, form) in [learnt.value, learnt.firstMoment, learnt.secondMoment].enumerated() {
        for (layer, numbers) in zip(head.layers, form.layers) {
          try submission.upload(.float32(numbers.weights), to: layer.weights.stored[part])
          try submission.upload(.float32(numbers.bias), to: layer.bias.stored[part])
        }
      }
    }
    _ = try await engine.run(submission)
  }

  private func read() async throws -> [LearntHead] {
    var submission = Submission()
    for head in heads {
      for part in 0..<3 {
        for layer in head.layers {
          try submission.download(layer.weights.stored[part])
          try submission.download(layer.bias.stored[part])
        }
      }
    }
    var results = try await engine.run(submission).map(\.floats)[...]
    return zip(heads, initial).map { head, initial in
      let parts = (0..<3).map { _ in
        let layers = head.layers.map { layer in
          LayerParameters(
            weights: results.removeFirst(), bias: results.removeFirst(), outputs: layer.outputs, inputs: layer.inputs)
        }
        return initial.replacingLayers(layers)
      }
      return LearntHead(value: parts[0], firstMoment: parts[1], secondMoment: parts[2])
    }
  }
}

/// A head's parameters and what AdamW keeps of each.
private struct LearntHead {
  var value: HeadParameters
  var firstMoment: HeadParameters
  var secondMoment: HeadParameters

  init(value: HeadParameters, firstMoment: HeadParameters, secondMoment: HeadParameters) {
    self.value = value
    self.firstMoment = firstMoment
    self.secondMoment = secondMoment
  }

  init?(_ form: HeadParameters, named name: String, from tensors: [String: NamedTensor]) {
    guard let value = form.replacing(named: name, from: tensors),
      let first = form.replacing(named: name + ".first", from: tensors),
      let second = form.replacing(named: name + ".second", from: tensors)
    else { return nil }
    self.init(value: value, firstMoment: first, secondMoment: second)
  }

  func tensors(named name: String) -> [NamedTensor] {
    value.tensors(named: name) + firstMoment.tensors(named: name + ".first")
      + secondMoment.tensors(named: name + ".second")
  }
}

extension HeadParameters {
  /// As training begins: both moments are zero.
  fileprivate func withMoments() -> LearntHead {
    let zero = replacingLayers(
      layers.map { layer in
        LayerParameters(
          weights: [Float](repeating: 0, count: layer.weights.count),
          bias: [Float](repeating: 0, count: layer.bias.count), outputs: layer.outputs, inputs: layer.inputs)
      })
    return LearntHead(value: self, firstMoment: zero, secondMoment: zero)
  }
}

/// The features of a batch on the device, mixed if the batch says so.
struct BatchFeatures: Sendable {
  let rows: Int
  let segments: SegmentTable
  /// `[rows]` int32: each row's place in its window.
  let positions: Tensor
  /// `[rows, hiddenSize]`
  let hidden: Tensor
  /// The same as `PackTransposed` lays it out.
  let transposed: Panels

  /// Adds the uploads, and what mixes them.
  init(
    _ batch: TrainingBatch, of features: any FeatureSource, on engine: Engine, in submission: inout Submission
  ) throws(EngineError) {
    let width = features.hiddenSize
    rows = batch.tokens
    let segments = Segments(lengths: batch.windows.map(\.length))
    self.segments = try engine.makeSegmentTable(segments, uploadedBy: &submission)
    positions = try engine.makeTensor(.int32, rows)
    try submission.upload(.int32(segments.positions), to: positions)

    let sources = batch.windows.flatMap { [$0.index] + ($0.partner.map { [$0] } ?? []) }
    let read = try features.rows(of: sources)
    let uploaded = try engine.makeTensor(.float32, read.count / width, width)
    try submission.upload(.float32(read), to: uploaded)
    if batch.windows.contains(where: { $0.partner != nil || $0.length != features.lengths[$0.index] }) {
      hidden = try engine.makeTensor(.float32, rows, width)
      let blend = Self.blend(batch, lengths: features.lengths)
      let indices = try engine.makeTensor(.int32, rows, 2)
      let weights = try engine.makeTensor(.float32, rows)
      try submission.upload(.int32(blend.indices), to: indices)
      try submission.upload(.float32(blend.weights), to: weights)
      try submission.append(
        BlendRows(of: uploaded, indices: indices, weights: weights, rows: rows, into: hidden))
    } else {
      hidden = uploaded
    }
    transposed = try engine.makePanels(for: .whole(width), channels: rows)
    try submission.append(
      PackTransposed(HeadSlices(hidden, channels: width), rows: rows, into: transposed))
  }

  /// Which uploaded rows each row is made of; those that the shorter window lacks are zeros.
  private static func blend(_ batch: TrainingBatch, lengths: [Int]) -> (indices: [Int32], weights: [Float]) {
    var indices: [Int32] = []
    var weights: [Float] = []
    var first = 0
    for window in batch.windows {
      let own = lengths[window.index]
      let other = window.partner.map { lengths[$0] } ?? 0
      for position in 0..<window.length {
        indices.append(position < own ? Int32(first + position) : -1)
        indices.append(position < other ? Int32(first + own + position) : -1)
        weights.append(window.weight)
      }
      first += own + other
    }
    return (indices, weights)
  }
}
