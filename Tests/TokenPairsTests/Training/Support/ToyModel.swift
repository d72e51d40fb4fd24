import Engine

@testable import TokenPairs

/// Heads whose numbers remember every batch, learning rate and step they were given, in order: a training that took
/// another way ends elsewhere.
actor ToyModel: TrainableModel {
  private var heads: [HeadParameters]
  private var moments: [[Float]]
  private let features: (any FeatureSource)?
  /// The loss of each step, if it is to be another than the toy's own.
  private let losses: @Sendable (Int) -> Double?

  init(
    _ heads: [HeadParameters], features: (any FeatureSource)? = nil,
    losses: @escaping @Sendable (Int) -> Double? = { _ in nil }
  ) {
    self.heads = heads
    self.features = features
    self.losses = losses
    moments = heads.map { [Float](repeating: 0, count: $0.projection.bias.count) }
  }

  func step(_ batch: TrainingBatch, learningRate: Double, number: Int) -> Double {
    var generator = SplitMix64(seed: UInt64(number))
    var sum: Float = 0
    for (place, window) in batch.windows.enumerated() {
      let row = features?.rows(of: window.index).reduce(0, +) ?? Float(window.index)
      sum += Float(place + 1) * (row * window.weight + Float(window.partner ?? 0))
    }
    for (index, labels) in batch.labels.enumerated() {
      sum += labels.cells.joined().reduce(0) { $0 + $1.value * Float(1 + $1.type) } + labels.background.reduce(0, +)
      for place in moments[index].indices {
        moments[index][place] = 0.9 * moments[index][place] + 0.1 * sum * (generator.float() - 0.5)
      }
      heads[index] = heads[index].movingBias(moments[index], rate: Float(learningRate))
    }
    return losses(number) ?? Double(abs(sum)) / Double(number)
  }

  func parameters() -> [HeadParameters] { heads }

  func state() -> [NamedTensor] {
    heads.enumerated().flatMap { $1.tensors(named: "head\($0)") }
      + moments.enumerated().map { NamedTensor(name: "moment\($0)", shape: [$1.count], values: $1) }
  }

  func restore(_ state: [NamedTensor]) throws {
    let tensors = Dictionary(uniqueKeysWithValues: state.map { ($0.name, $0) })
    for index in heads.indices {
      guard let head = heads[index].replacing(named: "head\(index)", from: tensors),
        let moment = tensors["moment\(index)"]
      else { throw TrainingError("the state is of another model") }
      (heads[index], moments[index]) = (head, moment.values)
    }
  }
}

extension HeadParameters {
  fileprivate func movingBias(_ moment: [Float], rate: Float) -> HeadParameters {
    var layer = projection
    for place in moment.indices { layer.bias[place] -= rate * moment[place] }
    return HeadParameters(
      kind: kind, dialect: .normal, types: types, headSize: headSize, rope: rope, triangular: triangular,
      projection: layer, bias: bias)
  }
}
