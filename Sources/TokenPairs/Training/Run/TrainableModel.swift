/// Heads that learn: what takes the optimiser's steps, wherever it computes.
package protocol TrainableModel: Sendable {
  /// Takes one step of the optimiser.
  /// - Parameters:
  ///   - batch: what to learn from.
  ///   - learningRate: the step's learning rate.
  ///   - number: the step's number in the whole training, from 1, for the correction of the moments' bias.
  /// - Returns: the loss before the step: the sum over the heads, the mean over the batch's windows.
  /// - Throws: `EngineError` if the device failed or has no room.
  func step(_ batch: TrainingBatch, learningRate: Double, number: Int) async throws -> Double

  /// The parameters as they are now, in normal form: the span head, then the head and tail heads of links.
  func parameters() async throws -> [HeadParameters]

  /// All that the next step depends on, bit for bit: parameters, and both of their moments.
  func state() async throws -> [NamedTensor]

  /// Goes back to a state.
  /// - Parameter state: what `state()` gave, in any order.
  /// - Throws: `TrainingError` if it is that of another model.
  func restore(_ state: [NamedTensor]) async throws
}

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
