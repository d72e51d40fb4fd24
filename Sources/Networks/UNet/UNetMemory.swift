package import Engine

/// Device memory that a U-Net takes, in bytes: known from its shape alone.
package struct UNetMemory: Sendable, Hashable {
  /// Of the weights.
  package let weights: Int
  /// Of the values of a pass, after they share buffers.
  package let pass: Int
  /// Of the largest of those buffers.
  package let largestBuffer: Int
  /// Of the same values without sharing.
  package let unshared: Int
}

extension UNetGraph {
  /// What a pass over so many images takes.
  ///
  /// - Parameters:
  ///   - images: how many travel together.
  ///   - panelWidth: the engine's.
  /// - Returns: the bytes.
  package func memory(images: Int, panelWidth: Int) -> UNetMemory {
    let plan = buffers(images: images, panelWidth: panelWidth)
    return UNetMemory(
      weights: weightBytes(panelWidth: panelWidth).packed, pass: plan.bytes, largestBuffer: plan.buffers.max() ?? 0,
      unshared: values.reduce(0) { $0 + bytes(of: $1, images: images, panelWidth: panelWidth) })
  }

  /// Images that keep a device busy: on a processor a few fill its caches, a graphics processor wants many pixels.
  package func busyImages(on device: DeviceDescription) -> Int {
    let pixels = pixels(ofLevel: 0)
    return max(1, (device.kind == .gpu ? 1 << 19 : 1 << 13) / pixels)
  }

  /// Checks that a pass over so many images fits.
  ///
  /// - Parameters:
  ///   - images: how many travel together.
  ///   - other: bytes that are taken besides weights and the pass.
  ///   - device: the device.
  ///   - panelWidth: its engine's.
  /// - Throws: `EngineError` of kind `exhausted` that says which number would fit.
  package func checkFits(
    images: Int, other: (Int) -> Int, _ device: DeviceDescription, panelWidth: Int
  ) throws(EngineError) {
    func fits(_ images: Int) -> Bool {
      let memory = memory(images: images, panelWidth: panelWidth)
      return memory.weights + memory.pass + other(images) <= Self.usable(device)
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

  /// The part of a device's memory that its engine uses.
  private static func usable(_ device: DeviceDescription) -> Int { device.memoryBytes / 4 * 3 }

  /// Checks that weights and a pass over one image fit.
  /// - Throws: `EngineError` of kind `exhausted` that says by how much they do not.
  package func checkFits(_ device: DeviceDescription, panelWidth: Int) throws(EngineError) {
    let (weights, transient) = weightBytes(panelWidth: panelWidth)
    let pass = memory(images: 1, panelWidth: panelWidth).pass
    let (needed, usable) = (weights + max(pass, transient), Self.usable(device))
    guard needed > usable else { return }
    func mebibytes(_ bytes: Int) -> String { "\((bytes + 1 << 20 - 1) >> 20) MiB" }
    throw EngineError(
      .exhausted,
      "the network takes \(mebibytes(needed)) for its weights and one image, \(mebibytes(needed - usable)) more than the "
        + "\(mebibytes(usable)) that may be used of \(device.name)'s memory")
  }
}
