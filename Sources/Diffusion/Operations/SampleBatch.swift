package import Engine

/// Samples that lie one after the other: tensors of `[samples, elements]`.
package struct SampleBatch: Sendable, Hashable {
  package let samples: Int
  /// Numbers a sample has.
  package let elements: Int

  package init(samples: Int, elements: Int) {
    self.samples = samples
    self.elements = elements
  }

  package var count: Int { samples * elements }

  package func validate(_ name: StaticString) throws(EngineError) {
    try require(
      samples > 0 && elements > 0 && samples <= indexLimit && elements <= indexLimit - 4096, name,
      "\(samples) samples of \(elements) elements cannot be indexed")
  }

  /// Checks that an output has room for `heads` heads of each sample, `width` elements apart.
  package func validate(output: Tensor, width: Int, heads: Int, _ name: StaticString) throws(EngineError) {
    try require(
      width >= heads * elements && width <= indexLimit, name,
      "outputs of \(width) elements do not hold \(heads) × \(elements)")
    try require(output, holds: (samples - 1) * width + heads * elements, name, "the output")
  }

  /// How many work-groups take a sample: DN_GROUP work-items take DN_RUN runs of blocks, see `Kernels/denoise/grid.clh`.
  func groupsPerSample(_ tiles: TileShape) -> Int {
    ceilingDivide(elements, tiles.variant == .cpu ? 16 * 64 : 4 * 64 * 4)
  }
}

/// A tensor with an entry for each sample, or one that all samples share.
package struct PerSample: Sendable {
  package let tensor: Tensor
  package let isShared: Bool

  package init(_ tensor: Tensor, isShared: Bool) {
    self.tensor = tensor
    self.isShared = isShared
  }

  package func validate(
    _ operation: StaticString, _ name: StaticString, _ batch: SampleBatch
  ) throws(EngineError) {
    try require(tensor, holds: isShared ? batch.elements : batch.count, operation, name)
  }

  /// A kernel's parameters: the tensor and how far two samples' entries are apart.
  func arguments(_ name: String, _ batch: SampleBatch) -> KernelArguments {
    [name: .tensor(tensor), name + "_stride": .int(isShared ? 0 : batch.elements)]
  }

  /// Reads an entry.
  func reader(_ memory: HostMemory, _ batch: SampleBatch) throws(EngineError) -> (_ sample: Int, _ element: Int) ->
    Double
  {
    let elements = try memory.floats(tensor)
    return { sample, element in Double(elements[(isShared ? 0 : sample * batch.elements) + element]) }
  }
}
