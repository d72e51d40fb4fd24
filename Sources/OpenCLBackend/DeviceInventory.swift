package import Engine
internal import OpenCL

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
