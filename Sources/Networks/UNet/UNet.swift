package import Engine
package import ModelFiles

/// An unconditional diffusion U-Net on a device: `UNet2DModel` of Hugging Face diffusers (Ho et al., 2020).
package struct UNet: Sendable {
  package let graph: UNetGraph
  let engine: Engine
  let frequencies: TimeFrequencies
  /// By the first of their names.
  let linears: [String: DenseWeights]
  let windows: [String: ConvolutionWeights]
  let normalizations: [String: NormalizationWeights]

  package var configuration: UNetConfiguration { graph.configuration }

  /// Reads a network's weights onto the engine's device.
  ///
  /// - Parameters:
  ///   - graph: the network.
  ///   - weights: where the tensors come from.
  ///   - engine: the device.
  /// - Throws: `ModelFileError` for a tensor that is missing, not expected or of another shape; `EngineError` if the
  ///   device has no room: it says how much is missing.
  package init(_ graph: UNetGraph, weights: any WeightSource, on engine: Engine) async throws {
    try graph.checkFits(engine.device, panelWidth: engine.panelWidth)
    self.graph = graph
    self.engine = engine
    let configuration = graph.configuration
    let reader = UNetWeightReader(source: weights, engine: engine, epsilon: configuration.epsilon)
    var linears: [String: DenseWeights] = [:]
    var windows: [String: ConvolutionWeights] = [:]
    var normalizations: [String: NormalizationWeights] = [:]
    for step in graph.steps {
      switch step {
      case .linear(let layer, _, _, _): linears[layer.names[0]] = try await reader.linear(layer)
      case .convolve(let step): windows[step.window.name] = try await reader.window(step.window)
      case .normalize(let step):
        normalizations[step.name] = try await reader.normalization(step.name, step.channels)
      case .embedTimes, .readSamples, .packKeys, .attend, .writeAnswer: continue
      }
    }
    self.linears = linears
    self.windows = windows
    self.normalizations = normalizations
    frequencies = try await engine.makeTimeFrequencies(
      channels: configuration.levels[0].channels, shift: configuration.frequencyShift,
      cosineFirst: configuration.startsWithCosine)
  }

  /// Reads a diffusers network's weights, whole or in several files.
  ///
  /// - Parameters:
  ///   - graph: the network.
  ///   - files: where they lie.
  ///   - engine: the device.
  /// - Throws: `ModelFileError` for files that cannot be used; `EngineError` if the device has no room.
  package init(_ graph: UNetGraph, files: UNetFiles, on engine: Engine) async throws {
    let checkpoint = try files.checkpoint()
    try checkpoint.check(graph.tensors, configuration: "config.json")
    try await self.init(graph, weights: NamedWeights(checkpoint: checkpoint), on: engine)
  }

  /// Makes room for passes over `images` images, which follow one another.
  package func makePass(images: Int) throws(EngineError) -> UNetPass { try UNetPass(self, images: images) }
}

/// A checkpoint that also answers to the names its tensors have today.
private struct NamedWeights: WeightSource {
  let checkpoint: Checkpoint

  func floats(named name: String, shape: [Int]) throws(ModelFileError) -> [Float] {
    try checkpoint.floats(named: checkpoint.stored(name), shape: shape)
  }
}

/// Reads a network's layers, each in the form its operation takes.
private struct UNetWeightReader {
  let source: any WeightSource
  let engine: Engine
  let epsilon: Double

  func linear(_ layer: UNetGraph.Linear) async throws -> DenseWeights {
    var weights: [Float] = []
    var bias: [Float] = []
    for (name, outputs) in zip(layer.names, layer.outputs) {
      weights += try source.floats(named: "\(name).weight", shape: [outputs, layer.inputs])
      bias += try source.floats(named: "\(name).bias", shape: [outputs])
    }
    return try await engine.makeDenseWeights(weights, bias: bias, outputs: layer.width, inputs: layer.inputs)
  }

  func window(_ window: UNetGraph.Window) async throws -> ConvolutionWeights {
    let sides = window.isLinear ? [] : [window.size, window.size]
    let weights = try source.floats(named: "\(window.name).weight", shape: [window.outputs, window.inputs] + sides)
    return try await engine.makeConvolutionWeights(
      weights, bias: try source.floats(named: "\(window.name).bias", shape: [window.outputs]),
      outputs: window.outputs, inputs: window.inputs, size: window.size, upsamples: window.upsamples)
  }

  func normalization(_ name: String, _ channels: Int) async throws -> NormalizationWeights {
    let gain = try source.floats(named: "\(name).weight", shape: [channels])
    let bias = try source.floats(named: "\(name).bias", shape: [channels])
    return NormalizationWeights(
      gain: try await engine.upload(.float32(gain), shape: [channels]),
      bias: try await engine.upload(.float32(bias), shape: [channels]), epsilon: Float(epsilon))
  }
}
