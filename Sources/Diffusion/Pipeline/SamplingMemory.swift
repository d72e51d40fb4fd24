internal import Engine
internal import Networks

/// What a batch of samples takes on a device, in bytes, and how large batches are: known before anything is computed.
package struct SamplingMemory: Sendable, Hashable {
  /// Samples that travel together.
  package let batchSize: Int
  /// Of weights, or data.
  package let resident: Int
  /// Of a batch: registers, the answer, and what the denoiser needs.
  package let batch: Int
  /// The same if no values of a network shared memory.
  package let unshared: Int

  package var total: Int { resident + batch }

  /// What the registers, the preview and the answer of so many samples take; all float32.
  static func registers(_ plan: SamplingPlan, elements: Int, heads: Int, samples: Int) -> Int {
    4 * samples * (elements * (plan.registerCount + 1 + heads) + CoefficientRow.width)
  }

  /// The largest batch that half of a device's memory holds, but none larger than what keeps it busy.
  ///
  /// - Parameters:
  ///   - busy: samples more than which would not be faster.
  ///   - resident: bytes that are taken whatever the batch is.
  ///   - device: the device.
  ///   - bytes: what a batch takes.
  /// - Returns: samples in a batch, at least one.
  static func batchSize(busy: Int, resident: Int, on device: DeviceDescription, bytes: (Int) -> Int) -> Int {
    let room = device.memoryBytes / 2 - resident
    var (fitting, tooMany) = (1, busy + 1)
    while tooMany - fitting > 1 {
      let middle = (fitting + tooMany) / 2
      if bytes(middle) <= room { fitting = middle } else { tooMany = middle }
    }
    return fitting
  }
}
