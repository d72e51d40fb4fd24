package import Engine

/// The graph of an unconditional image network, whatever its family: a pass is given noisy images with their noise
/// levels, and answers with as many images.
package struct ImageGraph: Sendable {
  package let graph: NetworkGraph
  /// Rows and columns of an image.
  package let height: Int
  package let width: Int
  package let inputChannels: Int
  /// Channels of the answer.
  package let outputChannels: Int

  /// - Parameters:
  ///   - writer: what the steps were written with.
  ///   - height: rows of an image.
  ///   - width: columns of an image.
  ///   - inputChannels: channels of an image.
  ///   - outputChannels: channels of the answer.
  package init(_ writer: GraphWriter, height: Int, width: Int, inputChannels: Int, outputChannels: Int) {
    graph = writer.graph(typicalBatch: .images(1))
    self.height = height
    self.width = width
    self.inputChannels = inputChannels
    self.outputChannels = outputChannels
  }
}

// How many images travel together, and whether they fit.
extension ImageGraph {
  /// What a pass over so many images takes.
  package func memory(images: Int, in layout: WeightLayout) -> NetworkMemory {
    graph.memory(of: .images(images), in: layout)
  }

  /// Images that keep a device busy: on a processor a few fill its caches, a graphics processor needs many pixels.
  package func busyImages(on device: DeviceDescription) -> Int {
    max(1, (device.kind == .gpu ? 1 << 19 : 1 << 13) / (height * width))
  }

  /// Checks that a pass over so many images fits.
  ///
  /// - Parameters:
  ///   - images: how many travel together.
  ///   - other: bytes that are taken besides weights and the pass.
  ///   - device: the device.
  ///   - layout: its engine's.
  /// - Throws: `EngineError` of kind `exhausted` that says which number would fit.
  package func checkFits(
    images: Int, other: (Int) -> Int, _ device: DeviceDescription, in layout: WeightLayout
  ) throws(EngineError) {
    let plan = graph.memoryPlan(in: layout)
    func fits(_ images: Int) -> Bool {
      let memory = plan.memory(of: .images(images))
      return memory.weights + memory.pass + other(images) <= device.usableBytes
        && memory.largestBuffer <= device.largestTensorBytes
    }
    guard images > 1, !fits(images) else { return }
    var (fitting, tooMany) = (1, images)
    while tooMany - fitting > 1 {
      let middle = (fitting + tooMany) / 2
      if fits(middle) { fitting = middle } else { tooMany = middle }
    }
    throw EngineError(
      .exhausted,
      "a batch of \(images) images does not fit in the memory that may be used of \(device.name); one of \(fitting) does"
    )
  }

  /// Checks that weights and a pass over one image fit.
  /// - Throws: `EngineError` of kind `exhausted` that says by how much they do not.
  package func checkFits(_ device: DeviceDescription, in layout: WeightLayout) throws(EngineError) {
    let weights = graph.weightBytes(in: layout)
    let pass = memory(images: 1, in: layout).pass
    try device.checkFits(weights.packed + max(pass, weights.transient), "the network", "one image")
  }
}

/// An unconditional image network on a device.
package struct ImageNetwork: Sendable {
  package let graph: ImageGraph
  fileprivate let network: Network

  /// Reads a network's weights onto the engine's device.
  ///
  /// - Parameters:
  ///   - graph: the network.
  ///   - weights: where the tensors come from.
  ///   - engine: the device.
  /// - Throws: `ModelFileError` for a tensor that is missing or of another shape; `EngineError` if the device has no room:
  ///   it says how much is missing.
  package init(_ graph: ImageGraph, weights: any WeightSource, on engine: Engine) async throws {
    try graph.checkFits(engine.device, in: engine.weightLayout)
    self.graph = graph
    network = try await Network(graph.graph, weights: weights, on: engine)
  }

  /// What a pass over so many images takes.
  package func memory(images: Int) -> NetworkMemory { network.plan.memory(of: .images(images)) }

  /// Makes room for passes over `images` images, which follow one another.
  package func makePass(images: Int) throws(EngineError) -> ImagePass { try ImagePass(self, images: images) }
}

/// A pass of an image network over a number of images: its buffers on the device, planned once.
package struct ImagePass: Sendable {
  private let pass: Pass

  fileprivate init(_ network: ImageNetwork, images: Int) throws(EngineError) {
    pass = try Pass(network.network, over: .images(images))
  }

  /// Adds the network's operations.
  ///
  /// - Parameters:
  ///   - samples: `[images, channels · height · width]`, plane by plane.
  ///   - levels: each image's time, and what it is multiplied by before.
  ///   - answer: `[images, …]`, likewise.
  ///   - submission: where the operations go.
  /// - Throws: `EngineError` if the tensors do not fit the network.
  package func append(
    _ samples: Tensor, at levels: CoefficientRows, into answer: Tensor, to submission: inout Submission
  ) throws(EngineError) {
    try pass.append(Self.inputs(samples, levels, answer), to: &submission)
  }

  /// The pass's operations, in their order, with what they cost; the parameters are those of `append`.
  /// - Throws: `EngineError` if the tensors do not fit the network.
  package func measuredSteps(
    _ samples: Tensor, at levels: CoefficientRows, into answer: Tensor
  ) throws(EngineError) -> [MeasuredStep] {
    try pass.measuredSteps(Self.inputs(samples, levels, answer))
  }

  private static func inputs(_ samples: Tensor, _ levels: CoefficientRows, _ answer: Tensor) -> PassInputs {
    var inputs = PassInputs()
    inputs[.samples] = samples
    inputs[.levels] = levels
    inputs[.answer] = answer
    return inputs
  }
}
