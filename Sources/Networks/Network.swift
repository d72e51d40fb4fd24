package import Engine

/// A graph on a device, with its weights.
package struct Network: Sendable {
  package let graph: NetworkGraph
  package let plan: MemoryPlan
  let engine: Engine
  private let weights: [LayerKey: any Sendable]

  /// Reads a network's weights onto the engine's device, layer by layer.
  ///
  /// - Parameters:
  ///   - graph: the network.
  ///   - source: where the tensors come from.
  ///   - prefix: what their names start with, before those of the graph.
  ///   - engine: the device.
  /// - Throws: `ModelFileError` for a tensor that is missing or has another shape; `EngineError` if the device has no room.
  package init(
    _ graph: NetworkGraph, weights source: any WeightSource, prefix: String = "", on engine: Engine
  ) async throws {
    self.graph = graph
    self.engine = engine
    plan = graph.memoryPlan(in: engine.weightLayout)
    let reader = WeightReader(source: source, prefix: prefix, engine: engine)
    var weights: [LayerKey: any Sendable] = [:]
    for layer in graph.layers { weights[layer.key] = try await layer.load(reader) }
    self.weights = weights
  }

  /// A layer's weights.
  fileprivate func weights<Layer: NetworkLayer>(of layer: Layer) throws(EngineError) -> Layer.Weights {
    guard let weights = weights[layer.key] as? Layer.Weights else {
      throw EngineError(.invalidOperation, "network: no weights of '\(layer.name)'")
    }
    return weights
  }
}

/// The name of something that the caller of a pass brings: tokens, images, the tensor for the answer. A family with other
/// inputs names them in an extension.
package struct PassInput<Content: Sendable>: Sendable {
  package let name: String

  package init(_ name: String) { self.name = name }
}

/// What the caller of a pass brings.
package struct PassInputs: Sendable {
  private var contents: [String: any Sendable] = [:]

  package init() {}

  package subscript<Content>(_ input: PassInput<Content>) -> Content? {
    get { contents[input.name] as? Content }
    set { contents[input.name] = newValue }
  }
}

/// A pass of a network over a batch: its buffers on the device. Passes that follow one another can share them.
package struct Pass: Sendable {
  package let batch: BatchShape
  private let network: Network
  private let plan: BufferPlan
  private let buffers: [Tensor]
  /// Items as sequences, for attention: those that the caller has on the device already, and those of the pass.
  private let given: [Positions: SegmentTable]
  private let own: [Positions: SegmentTable]
  private var inputs = PassInputs()

  /// Makes room for a pass.
  ///
  /// - Parameters:
  ///   - network: the network.
  ///   - batch: what the pass is over.
  ///   - given: tables of the batch's sequences that the caller uploads.
  /// - Throws: `EngineError` if the device has no room.
  package init(
    _ network: Network, over batch: BatchShape, segments given: [Positions: SegmentTable] = [:]
  ) throws(EngineError) {
    self.network = network
    self.batch = batch
    self.given = given
    plan = network.plan.buffers(for: batch)
    var buffers: [Tensor] = []
    for bytes in plan.buffers { buffers.append(try network.engine.makeTensor(.float32, bytes / 4)) }
    self.buffers = buffers
    var own: [Positions: SegmentTable] = [:]
    // The upload is repeated by `append`, which knows its submission.
    var unused = Submission()
    for positions in network.graph.sequences where given[positions] == nil {
      own[positions] = try network.engine.makeSegmentTable(batch.segments(of: positions), uploadedBy: &unused)
    }
    self.own = own
  }

  /// Adds the network's operations.
  ///
  /// - Parameters:
  ///   - inputs: what the graph's steps take from outside.
  ///   - submission: where the operations go.
  /// - Throws: `EngineError` if an input is missing or does not fit the network.
  package func append(_ inputs: PassInputs, to submission: inout Submission) throws(EngineError) {
    for table in network.graph.sequences.compactMap({ own[$0] }) {
      try submission.upload(.int32(table.segments.table(panelWidth: table.panelWidth)), to: table.tensor)
    }
    let pass = with(inputs)
    for step in network.graph.steps { try submission.append(step.operation(pass)) }
  }

  private func with(_ inputs: PassInputs) -> Pass {
    var pass = self
    pass.inputs = inputs
    return pass
  }
}

// What steps make their operations from.
extension Pass {
  /// A value's memory, in its shape: buffers are larger than some of the values that take turns in them.
  package func tensor(_ value: Value) -> Tensor {
    let shape: [Int]
    switch value.extent {
    case .items, .positions: shape = [batch.rows(of: value.extent), value.channels]
    case .keys(let positions, let heads):
      let width = network.engine.panelWidth
      shape = [batch.panels(of: positions, width: width), heads, value.channels / heads, width]
    }
    return Tensor(storage: buffers[plan.assignment[value.index]].storage, elementType: .float32, shape: shape)
  }

  /// A layer's weights.
  package func weights<Layer: NetworkLayer>(of layer: Layer) throws(EngineError) -> Layer.Weights {
    try network.weights(of: layer)
  }

  /// What the caller brings.
  package func input<Content>(_ input: PassInput<Content>) throws(EngineError) -> Content {
    guard let content = inputs[input] else {
      throw EngineError(.invalidOperation, "network: a pass without '\(input.name)'")
    }
    return content
  }

  /// Items as sequences of their positions; of those that a step names in `sequences`.
  package func segments(of positions: Positions) throws(EngineError) -> SegmentTable {
    guard let table = given[positions] ?? own[positions] else {
      throw EngineError(.invalidOperation, "network: a pass without the sequences of \(positions)")
    }
    return table
  }

  /// Keys as columns of a product.
  package func panels(_ value: Value) throws(EngineError) -> Panels {
    guard case .keys(_, let heads) = value.extent else {
      throw EngineError(.invalidOperation, "network: a value that is not of keys has no panels")
    }
    return Panels(
      tensor: tensor(value), heads: heads, channels: value.channels / heads, width: network.engine.panelWidth)
  }

  /// The pixels of a value over images.
  package func grid(of value: Value) throws(EngineError) -> PixelGrid {
    guard case .positions(.pixels(let height, let width)) = value.extent else {
      throw EngineError(.invalidOperation, "network: a value that is not of pixels has no grid")
    }
    return PixelGrid(images: batch.items, height: height, width: width)
  }
}

/// One operation of a pass by itself, and what it costs: for measuring.
package struct MeasuredStep: Sendable {
  /// What the operation is called.
  package let title: String
  /// The layer's name in the checkpoint; empty for what has none.
  package let layer: String
  package let operation: any DeviceOperation
  /// Multiplications and additions of products; those beyond an image's edge count, and of an image made larger those
  /// of its copied pixels.
  package let floatingPointOperations: Double
  /// Bytes of the values and weights that it reads and writes, each once.
  package let bytes: Int
}

extension Pass {
  /// The pass's operations, in their order.
  ///
  /// - Parameter inputs: as for `append`.
  /// - Returns: an operation and its figures for each step.
  /// - Throws: `EngineError` if an input is missing.
  package func measuredSteps(_ inputs: PassInputs) throws(EngineError) -> [MeasuredStep] {
    let pass = with(inputs)
    var measured: [MeasuredStep] = []
    for step in network.graph.steps {
      let values = Set(step.reads + step.writes).reduce(0) {
        $0 + $1.bytes(in: batch, panelWidth: network.engine.panelWidth)
      }
      let weights = step.layers.flatMap(\.tensors).reduce(0) { $0 + 4 * $1.count }
      measured.append(
        MeasuredStep(
          title: step.title, layer: step.layers.first?.title ?? "", operation: try step.operation(pass),
          floatingPointOperations: 2 * step.multiplications(batch), bytes: values + weights))
    }
    return measured
  }
}
