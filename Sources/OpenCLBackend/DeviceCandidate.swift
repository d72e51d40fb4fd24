package import Engine
internal import OpenCL

/// An OpenCL device that could be used, in the order in which drivers list them.
package struct DeviceCandidate: Sendable {
  let device: Device
  /// Its number among all devices of all platforms: `opencl:INDEX` on the command line.
  package let index: Int

  /// The device's name, as its driver gives it.
  package var name: String { device.name }
  /// What the device is, with the tiles it would get.
  package var description: DeviceDescription { description(variant: preferredVariant) }
  /// Whether all lanes go through one queue, so that no command overlaps another.
  package var sharesOneQueue: Bool { DeviceQuirks(device).sharesOneQueue }
  /// Why the device cannot be used; nil if it can.
  package var obstacle: String? {
    if !device.isAvailable { return "its driver says that it is not available" }
    if !device.hasCompiler { return "its driver has no compiler" }
    if !device.isUsable { return "OpenCL 1.2 is needed, it offers \(device.version)" }
    return nil
  }

  /// Every device of every platform that OpenCL offers; empty where there is none.
  package static func all() throws(EngineError) -> [DeviceCandidate] {
    try DeviceInventory.read().candidates
  }

  /// The device `auto` takes, and why in a few words: usable, GPUs before accelerators before CPUs, then the one with
  /// the most parallel units, then the first listed.
  package static func automatic(among candidates: [DeviceCandidate]) -> (candidate: DeviceCandidate, reason: String)? {
    let usable = candidates.filter { $0.device.isUsable }
    guard let best = usable.min(by: { $0.rank < $1.rank }) else { return nil }
    let rivals = usable.count - 1
    let kind = best.device.kind == .gpu ? "a GPU" : best.device.kind == .cpu ? "a CPU" : "an accelerator"
    let reason =
      rivals == 0
      ? "the only usable device"
      : "\(kind) with \(best.device.computeUnits) units, ahead of \(rivals) other\(rivals == 1 ? "" : "s"): GPUs come before accelerators before CPUs, then the most units"
    return (best, reason)
  }

  private var rank: (Int, Int, Int) {
    let kind =
      switch device.kind {
      case .gpu: 0
      case .accelerator: 1
      case .cpu: 2
      case .other: 3
      }
    return (kind, -device.computeUnits, index)
  }

  /// CPUs get register tiles; everything else tiles in local memory.
  var preferredVariant: TileShape.Variant { device.kind == .cpu ? .cpu : .gpu }

  func description(variant: TileShape.Variant) -> DeviceDescription {
    let kind: DeviceDescription.Kind =
      switch device.kind {
      case .cpu: .cpu
      case .gpu: .gpu
      case .accelerator, .other: .accelerator
      }
    return DeviceDescription(
      name: device.name, platform: "\(device.platformName) \(device.platformVersion)", driver: device.driverVersion,
      kind: kind, variant: variant.rawValue, computeUnits: device.computeUnits, memoryBytes: device.globalMemory,
      largestTensorBytes: device.maxAllocation)
  }
}

/// What the OpenCL drivers of this machine offer.
package struct DeviceInventory: Sendable {
  /// A platform that offers nothing, and why: a driver without its hardware is not an error.
  package struct EmptyPlatform: Sendable, Hashable {
    package let name: String
    package let reason: String
  }

  /// Every device of every platform, in the order in which the drivers list them.
  package let candidates: [DeviceCandidate]
  package let emptyPlatforms: [EmptyPlatform]

  /// What to do where there is no device.
  package static var remedy: String { CompilerFolders.obstacle ?? "Debian: apt install pocl-opencl-icd" }

  /// Asks every driver. One that fails does not hide the others.
  package static func read() throws(EngineError) -> DeviceInventory {
    var candidates: [DeviceCandidate] = []
    var empty: [EmptyPlatform] = []
    let platforms: [Platform]
    do { platforms = try Platform.all() } catch { throw EngineError(error) }
    for platform in platforms {
      do {
        let devices = try platform.devices()
        if devices.isEmpty { empty.append(EmptyPlatform(name: platform.name, reason: "it has no device here")) }
        for device in devices { candidates.append(DeviceCandidate(device: device, index: candidates.count)) }
      } catch {
        empty.append(EmptyPlatform(name: platform.name, reason: error.description))
      }
    }
    return DeviceInventory(candidates: candidates, emptyPlatforms: empty)
  }
}
