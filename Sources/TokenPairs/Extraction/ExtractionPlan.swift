package import Engine
internal import ModelFiles
internal import Networks

/// What reading texts with a model takes on a device: known from the model's files alone, before anything is loaded.
package struct ExtractionPlan: Sendable {
  /// What the model finds.
  package let task: ModelTask
  /// How many names there are for spans, and for links.
  package let labelCount: Int
  package let linkCount: Int
  /// The encoder's family, such as BERT.
  package let family: String
  /// Channels of the encoder's output.
  package let width: Int
  /// Numbers in the weights of encoder and heads.
  package let parameterCount: Int
  /// Tokens of the longest window.
  package let windowTokens: Int
  /// Tokens in a batch at most.
  package let batchTokens: Int
  /// The longest windows that travel together.
  package let windows: Int
  /// Batches of such windows on the device at one time.
  package let batches: Int
  /// Device memory in bytes: of the weights,
  package let weights: Int
  /// of a window by itself,
  package let window: Int
  /// of a batch of such windows,
  package let batch: Int
  /// and of a batch if no values of the encoder shared memory.
  package let unshared: Int

  package var total: Int { weights + batches * batch }

  /// Reads the files of a model directory. Of the weights only those of the heads are read.
  ///
  /// - Parameters:
  ///   - directory: the directory.
  ///   - options: as for an extractor.
  ///   - engine: the device.
  /// - Throws: `ModelFileError` that names file and tensor or field; `EngineError` of kind `exhausted` if the model does
  ///   not fit the device: it says by how much.
  package init(model directory: String, options: Extractor.Options, on engine: Engine) throws {
    let description = try ModelDescription(directory: directory)
    let files = try EncoderFiles(directory: directory)
    let encoder = files.graph
    try encoder.check(files.checkpoint, prefix: description.encoderPrefix, configuration: "config.json")
    let heads = try description.heads.map { try $0.parameters(from: files.checkpoint, hiddenSize: encoder.width) }
    task = description.task
    labelCount = description.labels.count
    linkCount = description.links.count
    family = encoder.family
    width = encoder.width
    parameterCount = encoder.graph.parameterCount + heads.reduce(0) { $0 + $1.count }
    let windowTokens = files.windowCapacity + 2
    self.windowTokens = windowTokens

    let panelWidth = engine.panelWidth
    let plan = encoder.graph.memoryPlan(in: engine.weightLayout)
    func memory(windows: Int) -> NetworkMemory {
      plan.memory(of: .tokens(Segments(lengths: [Int](repeating: windowTokens, count: windows))))
    }
    let ofHeads = heads.reduce(0) { $0 + $1.bytes(forTokens: windowTokens, panelWidth: panelWidth) }
    let one = memory(windows: 1)
    window = one.pass + ofHeads
    weights =
      one.weights
      + heads.reduce(0) { $0 + $1.weightBytes(positions: encoder.longestSequence, in: engine.weightLayout) }

    let limits = options.limits(on: engine.device)
    batchTokens = limits.tokens
    windows = max(1, min(limits.tokens / windowTokens, limits.bytes / window))
    let together = memory(windows: windows)
    batch = together.pass + windows * ofHeads
    unshared = together.unshared + windows * ofHeads
    batches = max(1, min(limits.batches, limits.bytes / batch))
    try engine.device.checkFits(weights + window, "the model", "one window")
  }
}

extension Extractor.Options {
  /// Which windows travel together on a device.
  func limits(on device: DeviceDescription) -> BatchPolicy.Limits {
    let tokens = batchTokens ?? (device.kind == .gpu ? 16_384 : 2_048)
    return BatchPolicy.Limits(tokens: max(1, tokens), bytes: max(1, device.memoryBytes / 2))
  }
}

// What a head takes on a device.
extension HeadParameters {
  /// Bytes of the weights as they are packed, and of the table of rotations.
  func weightBytes(positions: Int, in layout: WeightLayout) -> Int {
    let packed = [projection, bias].compactMap { $0 }.reduce(0) {
      $0 + LinearLayer("", inputs: $1.inputs, outputs: $1.outputs).bytes(in: layout).packed
    }
    return packed + (shape.rope ? 8 * positions * shape.headSize : 0)
  }

  /// Bytes that a sequence takes while it is scored.
  func bytes(forTokens count: Int, panelWidth: Int) -> Int {
    shape.bytes(
      forTokens: count, projected: projection.outputs, biases: bias?.outputs ?? 0, panelWidth: panelWidth)
  }
}

extension HeadShape {
  /// Bytes that a sequence takes while it is scored: rows of `projected` channels, rotated queries, biases, keys and biases
  /// as columns, and the greatest of neighbouring biases.
  func bytes(forTokens count: Int, projected: Int, biases: Int, panelWidth: Int) -> Int {
    let vectors = products * headSize
    let columns = ceilingDivide(count, panelWidth) * panelWidth
    return 4 * (count * (projected + (rope ? vectors : 0) + biases) + columns * (vectors + biases))
      + 4 * columns / PackColumns.run * biases
  }
}
