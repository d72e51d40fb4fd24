public import Engine
internal import ModelFiles
internal import Networks

/// A trained network as a denoiser: a `UNet2DModel` of Hugging Face diffusers on a device.
public struct NetworkDenoiser: Denoiser {
  /// Channels, rows and columns of an image.
  public let sampleShape: [Int]
  /// What the network was trained to predict.
  public let prediction: Prediction
  /// 2 if the network tells a variance too.
  public let outputHeads: Int

  private let network: ImageNetwork
  private let engine: Engine

  /// Reads a model's network onto a device.
  ///
  /// - Parameters:
  ///   - files: the model.
  ///   - engine: the device that will compute.
  /// - Throws: `ModelFileError` if the weights do not fit the configuration; `EngineError` if there is no room: it says how
  ///   much is missing.
  public init(_ files: DiffusionModelFiles, on engine: Engine) async throws {
    try await self.init(
      try await ImageNetwork(files.graph, files: files.network, on: engine), prediction: files.scheduler.prediction,
      on: engine)
  }

  init(_ network: ImageNetwork, prediction: Prediction, on engine: Engine) async throws {
    let shape = network.graph
    sampleShape = [shape.inputChannels, shape.height, shape.width]
    outputHeads = shape.outputChannels / shape.inputChannels
    self.prediction = prediction
    self.network = network
    self.engine = engine
  }

  /// The network's answer for a batch, computed on the device.
  public func evaluate(_ call: DenoiserCall) async throws -> [Float] {
    try await answer(call, on: engine)
  }
}

extension Denoiser where Self == NetworkDenoiser {
  /// The network of a diffusers directory.
  ///
  /// - Parameters:
  ///   - directory: the directory.
  ///   - engine: the device that will compute.
  /// - Returns: the network, on the device.
  /// - Throws: `ModelFileError` if it is not a model that can be used; `EngineError` if there is no room for it.
  public static func network(at directory: String, on engine: Engine) async throws -> NetworkDenoiser {
    try await NetworkDenoiser(try DiffusionModelFiles(directory: directory), on: engine)
  }
}

extension NetworkDenoiser: DeviceDenoiser {
  package func makeEvaluation(for batch: SampleBatch) throws(EngineError) -> any DeviceEvaluation {
    NetworkEvaluation(pass: try network.makePass(images: batch.samples))
  }

  package func bytes(samples: Int) -> Int { network.memory(images: samples).pass }

  package var residentBytes: Int { network.memory(images: 1).weights }

  package func busySamples(on device: DeviceDescription) -> Int? { network.graph.busyImages(on: device) }
}

private struct NetworkEvaluation: DeviceEvaluation {
  let pass: ImagePass

  func append(
    x: Tensor, at rows: CoefficientRows, into output: Tensor, to submission: inout Submission
  ) throws(EngineError) {
    try pass.append(x, at: rows, into: output, to: &submission)
  }
}
