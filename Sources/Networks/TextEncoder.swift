package import Engine
package import ModelFiles

/// Token ids of several sequences, one after the other without padding.
package struct TokenBatch: Sendable {
  package let ids: [Int32]
  package let segments: Segments

  /// - Parameter sequences: at least one, none empty.
  package init(_ sequences: [[Int32]]) {
    ids = sequences.flatMap { $0 }
    segments = Segments(lengths: sequences.map(\.count))
  }
}

/// A batch's ids, positions and segments on a device.
package struct DeviceTokens: Sendable {
  package let segments: SegmentTable
  package let ids: Tensor
  /// Each token's position within its sequence.
  package let positions: Tensor

  package var count: Int { segments.segments.rowCount }

  /// Makes room for a batch and adds its uploads.
  package init(_ batch: TokenBatch, on engine: Engine, uploadedBy submission: inout Submission) throws(EngineError) {
    segments = try engine.makeSegmentTable(batch.segments, uploadedBy: &submission)
    ids = try engine.makeTensor(.int32, batch.ids.count)
    positions = try engine.makeTensor(.int32, batch.ids.count)
    try submission.upload(.int32(batch.ids), to: ids)
    try submission.upload(.int32(batch.segments.positions), to: positions)
  }
}

/// The graph of a text encoder, whatever its family: a pass is given tokens, and leaves a vector for each.
package struct TextGraph: Sendable {
  /// What encoders of this kind are called, such as BERT.
  package let family: String
  package let graph: NetworkGraph
  /// The last hidden state, `[tokens, width]`.
  let hidden: Value
  /// Tokens of the longest sequence that the encoder takes.
  package let longestSequence: Int

  /// Channels of the last hidden state.
  package var width: Int { hidden.channels }

  /// - Parameters:
  ///   - family: what encoders of this kind are called.
  ///   - writer: what the steps were written with.
  ///   - hidden: the last hidden state.
  ///   - longestSequence: tokens of the longest sequence.
  package init(family: String, _ writer: GraphWriter, hidden: Value, longestSequence: Int) {
    self.family = family
    graph = writer.graph(typicalBatch: .tokens(longestSequence), results: [hidden])
    self.hidden = hidden
    self.longestSequence = longestSequence
  }

  /// Checks that a checkpoint holds the encoder's tensors, in their shapes, without reading them. It may hold others.
  /// - Throws: `ModelFileError` that names the first one at fault.
  package func check(
    _ checkpoint: Checkpoint, prefix: String, configuration: String
  ) throws(ModelFileError) {
    for tensor in graph.tensors {
      try checkpoint.check(prefix + tensor.name, tensor.shape, configuration: configuration)
    }
  }
}

/// A text encoder on a device: operations over ragged batches of tokens.
package struct TextEncoder: Sendable {
  private let text: TextGraph
  private let network: Network

  /// Channels of the last hidden state.
  package var width: Int { text.width }

  /// Reads weights, named as Hugging Face names them, onto the engine's device.
  ///
  /// - Parameters:
  ///   - graph: the encoder.
  ///   - weights: where the tensors come from.
  ///   - prefix: what the encoder's tensor names start with, such as `bert.`.
  ///   - engine: the device.
  /// - Throws: `ModelFileError` for a tensor that is missing or has another shape; `EngineError` if the device has no room.
  package init(_ graph: TextGraph, weights: any WeightSource, prefix: String, on engine: Engine) async throws {
    text = graph
    network = try await Network(graph.graph, weights: weights, prefix: prefix, on: engine)
  }

  /// Adds the encoder's operations for `tokens`.
  /// - Returns: the last hidden state, `[tokens, width]`, written when the submission runs.
  /// - Throws: `EngineError` if a sequence is too long or the device has no room.
  package func encode(_ tokens: DeviceTokens, in submission: inout Submission) throws(EngineError) -> Tensor {
    let segments = tokens.segments.segments
    guard segments.longest <= text.longestSequence else {
      throw EngineError(
        .invalidOperation,
        "a sequence of \(segments.longest) tokens is longer than the encoder's \(text.longestSequence) positions")
    }
    let pass = try Pass(network, over: .tokens(segments), segments: [.tokens: tokens.segments])
    var inputs = PassInputs()
    inputs[.tokens] = tokens
    try pass.append(inputs, to: &submission)
    return pass.tensor(text.hidden)
  }

  /// Device memory that a batch takes while it is encoded. Several sequences take no more together than the sum of what
  /// each takes alone.
  package func memory(of batch: BatchShape) -> NetworkMemory { network.plan.memory(of: batch) }
}
