package import Engine

/// A network as a list of steps over values, without a device, weights or a batch.
///
/// The memory of a pass is planned from it, it says which tensors a checkpoint must hold, and a pass follows it. A family
/// of models is a function that writes a graph from a configuration: `TextGraph.bert`, `ImageGraph.unet2D`.
package struct NetworkGraph: Sendable {
  /// What a pass computes, by their indices.
  package let values: [Value]
  /// In the order in which they run.
  package let steps: [NetworkStep]
  /// Values that are read after the last step.
  package let results: [Value]
  /// The layers of all steps, each once, in the order of their first use.
  package let layers: [any NetworkLayer]
  /// Positions that some step must know as sequences, each once.
  let sequences: [Positions]
  /// A batch of one item of the usual size: values share memory as they best do for it.
  let typicalBatch: BatchShape

  /// The tensors that a checkpoint must hold, each once.
  package var tensors: [ExpectedTensor] {
    var names: Set<String> = []
    return layers.flatMap(\.tensors).filter { names.insert($0.name).inserted }
  }

  /// Numbers in all tensors.
  package var parameterCount: Int { tensors.reduce(0) { $0 + $1.count } }

  /// Device memory of the weights as they are packed, in bytes, and of the largest layer while it is packed.
  package func weightBytes(in layout: WeightLayout) -> LayerBytes {
    layers.reduce(into: LayerBytes()) { total, layer in
      let bytes = layer.bytes(in: layout)
      total.packed += bytes.packed
      total.transient = max(total.transient, bytes.transient)
    }
  }
}

/// The positions of an item of a batch, over which attention and convolutions work.
package enum Positions: Sendable, Hashable {
  /// The tokens of a sequence.
  case tokens
  /// The pixels of an image, row by row.
  case pixels(height: Int, width: Int)
}

/// Something that a pass computes.
package struct Value: Sendable, Hashable {
  /// How many rows there are.
  package enum Extent: Sendable, Hashable {
    /// `[items, channels]`
    case items
    /// `[positions of all items, channels]`
    case positions(Positions)
    /// The keys of attention among an item's positions, as panels of so many heads.
    case keys(Positions, heads: Int)
  }

  /// Its index in the graph.
  let index: Int
  package let extent: Extent
  /// Of all heads together, for keys.
  package let channels: Int

  /// Bytes of the value for a batch; all values are float32.
  func bytes(in batch: BatchShape, panelWidth: Int) -> Int {
    switch extent {
    case .items, .positions: 4 * batch.rows(of: extent) * channels
    case .keys(let positions, _): 4 * batch.panels(of: positions, width: panelWidth) * panelWidth * channels
    }
  }
}

/// What a pass is over: how many items, and how long they are.
package struct BatchShape: Sendable, Hashable {
  /// Images or sequences.
  package let items: Int
  /// The tokens of each item, if items have tokens.
  package let sequences: Segments?
  private let tokens: Int

  private init(items: Int, sequences: Segments?) {
    self.items = items
    self.sequences = sequences
    tokens = sequences?.rowCount ?? 0
  }

  /// So many images.
  package static func images(_ count: Int) -> BatchShape { BatchShape(items: count, sequences: nil) }

  /// Sequences of so many tokens each.
  package static func tokens(_ sequences: Segments) -> BatchShape {
    BatchShape(items: sequences.count, sequences: sequences)
  }

  /// One sequence of so many tokens.
  package static func tokens(_ count: Int) -> BatchShape { tokens(Segments(lengths: [count])) }

  /// Positions of all items together.
  package func rows(of positions: Positions) -> Int {
    switch positions {
    case .tokens: tokens
    case .pixels(let height, let width): items * height * width
    }
  }

  /// Rows of a value.
  package func rows(of extent: Value.Extent) -> Int {
    switch extent {
    case .items: items
    case .positions(let positions), .keys(let positions, _): rows(of: positions)
    }
  }

  /// Panels that hold the positions of all items; each item starts a panel of its own.
  package func panels(of positions: Positions, width: Int) -> Int {
    switch positions {
    case .tokens: sequences?.panelCount(width: width) ?? 0
    case .pixels(let rows, let columns): items * ((rows * columns + width - 1) / width)
    }
  }

  /// Pairs of positions of the same item.
  package func pairs(of positions: Positions) -> Double {
    switch positions {
    case .tokens: sequences?.lengths.reduce(0) { $0 + Double($1) * Double($1) } ?? 0
    case .pixels(let height, let width): Double(items) * Double(height * width) * Double(height * width)
    }
  }

  /// Each item as a sequence of its positions.
  /// - Throws: `EngineError` if tokens are asked of items that have none.
  package func segments(of positions: Positions) throws(EngineError) -> Segments {
    switch positions {
    case .pixels(let height, let width):
      return PixelGrid(images: items, height: height, width: width).segments
    case .tokens:
      guard let sequences else { throw EngineError(.invalidOperation, "a pass over images has no tokens") }
      return sequences
    }
  }
}

/// One step of a graph: what it reads and writes, the weights it needs, and the operation that it is on a device.
package struct NetworkStep: Sendable {
  /// What the operation is called in tables of timings.
  package let title: String
  /// The values that are read, and those that are written; none if the result goes to the caller's tensor.
  package let reads: [Value]
  package let writes: [Value]
  /// The layers whose weights the operation takes.
  package let layers: [any NetworkLayer]
  /// Positions that the operation must know as sequences (`Pass.segments`).
  let sequences: Positions?
  /// Multiplications of its products for a batch, to tell how fast it is.
  let multiplications: @Sendable (BatchShape) -> Double
  let operation: @Sendable (Pass) throws(EngineError) -> any DeviceOperation

  /// - Parameters:
  ///   - title: what the operation is called in tables of timings.
  ///   - reads: the values that are read. One that is written too may be left out.
  ///   - writes: the values that are written.
  ///   - layers: the layers whose weights the operation takes.
  ///   - sequences: positions that the operation must know as sequences.
  ///   - multiplications: multiplications of its products for a batch.
  ///   - operation: makes the operation from the tensors and weights of a pass.
  package init(
    _ title: String, reads: [Value?], writes: [Value], layers: [any NetworkLayer] = [], sequences: Positions? = nil,
    multiplications: @escaping @Sendable (BatchShape) -> Double = { _ in 0 },
    operation: @escaping @Sendable (Pass) throws(EngineError) -> any DeviceOperation
  ) {
    self.title = title
    self.reads = reads.compactMap { $0 }
    self.writes = writes
    self.layers = layers
    self.sequences = sequences
    self.multiplications = multiplications
    self.operation = operation
  }
}

/// Writes a graph down, step by step.
package struct GraphWriter {
  private var values: [Value] = []
  private var steps: [NetworkStep] = []

  package init() {}

  /// A new value, which a later step is to write.
  package mutating func value(_ extent: Value.Extent, _ channels: Int) -> Value {
    let value = Value(index: values.count, extent: extent, channels: channels)
    values.append(value)
    return value
  }

  /// Adds a step.
  package mutating func add(_ step: NetworkStep) { steps.append(step) }

  /// Ends the writing.
  /// - Parameters:
  ///   - typicalBatch: one item of the usual size.
  ///   - results: values that are read after the last step.
  /// - Returns: the graph.
  package func graph(typicalBatch: BatchShape, results: [Value] = []) -> NetworkGraph {
    var keys: Set<LayerKey> = []
    var positions: Set<Positions> = []
    return NetworkGraph(
      values: values, steps: steps, results: results,
      layers: steps.flatMap(\.layers).filter { keys.insert($0.key).inserted },
      sequences: steps.compactMap(\.sequences).filter { positions.insert($0).inserted }, typicalBatch: typicalBatch)
  }
}
