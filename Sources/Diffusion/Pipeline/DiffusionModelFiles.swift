package import Engine
public import ModelFiles
package import Networks

/// What a diffusers directory of an unconditional model holds: read and checked, without a device.
public struct DiffusionModelFiles: Sendable {
  /// The directory.
  public let directory: String
  /// The model's own sampler.
  public let scheduler: SchedulerConfiguration
  /// The path of `scheduler_config.json`.
  public let schedulerFile: String
  package let graph: ImageGraph
  package let network: UNetFiles

  /// The sizes of one sample: channels, rows and columns of an image.
  public var sampleShape: [Int] { [graph.inputChannels, graph.height, graph.width] }

  /// 1, or 2 if the network tells a variance too.
  public var outputHeads: Int { graph.outputChannels / graph.inputChannels }

  /// Numbers in the network's weights.
  public var parameterCount: Int { graph.graph.parameterCount }

  /// Reads a directory: `unet/config.json` and `scheduler/scheduler_config.json`, or both at its root, as google/ddpm-*
  /// have them.
  ///
  /// - Parameter directory: the directory.
  /// - Throws: `ModelFileError` if it is not a model, or one that asks for what Weft does not do.
  public init(directory: String) throws(ModelFileError) {
    self.directory = directory
    network = try UNetFiles(model: directory)
    try Self.checkComponents(directory)
    graph = try network.graph()
    guard graph.outputChannels == graph.inputChannels || graph.outputChannels == 2 * graph.inputChannels else {
      throw ModelFileError(
        file: network.configuration, subject: "field 'out_channels'",
        problem: "\(graph.outputChannels), where samples need in_channels, \(graph.inputChannels), or twice as many")
    }
    let places = ["scheduler/scheduler_config.json", "scheduler_config.json"].map { ModelFiles.path(directory, $0) }
    guard let place = places.first(where: { fileExists($0) }) else {
      throw ModelFileError(
        file: directory,
        problem:
          "has neither scheduler/scheduler_config.json nor scheduler_config.json: it says which noise the network "
          + "knows, and comes with it")
    }
    schedulerFile = place
    scheduler = try SchedulerConfiguration(file: place)
    if scheduler.needsSecondHead, graph.outputChannels == graph.inputChannels {
      throw ModelFileError(
        file: place, subject: "field 'variance_type'",
        problem: "learned_range, but config.json has as many out_channels as in_channels: the network tells no variance"
      )
    }
  }

  /// Checks that the weights are those of the network, without reading them.
  /// - Throws: `ModelFileError` that names the first tensor that is missing, of another shape or too many.
  public func checkWeights() throws(ModelFileError) { try network.check(graph) }

  /// Refuses a pipeline with more parts than a network and its sampler, such as one that works on latents.
  private static func checkComponents(_ directory: String) throws(ModelFileError) {
    let file = ModelFiles.path(directory, "model_index.json")
    guard fileExists(file) else { return }
    let fields = try JSONFields(file: file)
    for member in fields.members where !member.name.hasPrefix("_") && !["unet", "scheduler"].contains(member.name) {
      guard case .array(let parts) = member.value, case .string? = parts.first else { continue }
      throw fields.error(
        member.name, "a part of the pipeline that is not supported; it may have a unet and a scheduler alone")
    }
  }
}

extension DiffusionModelFiles {
  /// What drawing samples will take, without loading the network.
  ///
  /// - Parameters:
  ///   - plan: the sampler's.
  ///   - samples: how many are asked for.
  ///   - batchSize: how many travel together; as many as suit the device if nil.
  ///   - engine: the device.
  /// - Returns: the bytes, and the size of a batch.
  /// - Throws: `EngineError` if the network, or a batch of that size, does not fit the device.
  package func memory(
    _ plan: SamplingPlan, samples: Int, batchSize: Int?, on engine: Engine
  ) throws(EngineError) -> SamplingMemory {
    try graph.checkFits(engine.device, in: engine.weightLayout)
    let elements = sampleShape.reduce(1, *)
    let resident = graph.memory(images: 1, in: engine.weightLayout).weights
    func bytes(_ count: Int) -> Int {
      SamplingMemory.registers(plan, elements: elements, heads: outputHeads, samples: count)
        + graph.memory(images: count, in: engine.weightLayout).pass
    }
    let usual = SamplingMemory.batchSize(
      busy: graph.busyImages(on: engine.device), resident: resident, on: engine.device, bytes: bytes)
    let size = min(samples, batchSize ?? usual)
    try graph.checkFits(
      images: size,
      other: { SamplingMemory.registers(plan, elements: elements, heads: outputHeads, samples: $0) },
      engine.device, in: engine.weightLayout)
    let memory = graph.memory(images: size, in: engine.weightLayout)
    return SamplingMemory(
      batchSize: size, resident: resident, batch: bytes(size),
      unshared: bytes(size) - memory.pass + memory.unshared)
  }
}
