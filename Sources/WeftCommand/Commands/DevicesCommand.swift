import ArgumentParser
import Foundation
import OpenCLBackend
import Weft

struct DevicesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "devices",
    abstract: "List the devices Weft can compute on, and which one 'auto' picks.")

  @Flag(help: "Print one JSON object instead of a table.")
  var json = false

  func run() throws {
    let inventory = try DeviceInventory.read()
    let choice = DeviceCandidate.automatic(among: inventory.candidates)
    try DeviceReport(inventory: inventory, choice: choice).show(json: json)
  }
}

/// What `weft devices` tells.
private struct DeviceReport: Report {
  let inventory: DeviceInventory
  /// What 'auto' picks; nil is the CPU.
  let choice: (candidate: DeviceCandidate, reason: String)?

  func text(on terminal: Terminal) -> String {
    let candidates = inventory.candidates
    var devices = TextTable([
      .text("--device"), .text("name"), .text("type"), .number("units"), .number("memory"), .text("tiles"),
    ])
    var drivers = TextTable([.text("--device"), .text("driver"), .text("platform")])
    devices.addRow(["cpu", "Weft reference", "reference", "", "", ""])
    for candidate in candidates {
      let device = candidate.description
      let name = "opencl:\(candidate.index)"
      devices.addRow([
        name, device.name, device.kind.rawValue, "\(device.computeUnits)",
        String(format: "%.1f GiB", Double(device.memoryBytes) / Double(1 << 30)), device.variant,
      ])
      // PoCL's version goes on with how it was built, after two spaces; --json has it all.
      drivers.addRow([name, device.driver, device.platform.split(separator: "  ").first.map(String.init) ?? ""])
    }
    var text = devices.render(on: terminal) + "\n"
    if !candidates.isEmpty { text += drivers.render(on: terminal) + "\n" }
    for candidate in candidates {
      if let obstacle = candidate.obstacle { text += "opencl:\(candidate.index) cannot be used: \(obstacle)\n" }
    }
    for platform in inventory.emptyPlatforms { text += "platform \(platform.name): \(platform.reason)\n" }
    if let choice {
      text += "auto: opencl:\(choice.candidate.index), \(choice.candidate.name) (\(choice.reason))\n"
    } else {
      text += "auto: cpu, because there is no usable OpenCL device (\(DeviceInventory.remedy))\n"
    }
    return text
  }

  func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: FieldName.self)
    var devices = fields.nestedUnkeyedContainer(forKey: "devices")
    for candidate in inventory.candidates {
      let device = candidate.description
      var object = devices.nestedContainer(keyedBy: FieldName.self)
      try object.encode("opencl:\(candidate.index)", forKey: "device")
      try object.encode(device.name, forKey: "name")
      try object.encode(device.platform, forKey: "platform")
      try object.encode(device.driver, forKey: "driver")
      try object.encode(device.kind.rawValue, forKey: "type")
      try object.encode(device.variant, forKey: "variant")
      try object.encode(device.computeUnits, forKey: "compute_units")
      try object.encode(device.memoryBytes, forKey: "memory_bytes")
      try object.encode(candidate.obstacle == nil, forKey: "usable")
    }
    var platforms = fields.nestedUnkeyedContainer(forKey: "platforms_without_devices")
    for platform in inventory.emptyPlatforms {
      var object = platforms.nestedContainer(keyedBy: FieldName.self)
      try object.encode(platform.name, forKey: "platform")
      try object.encode(platform.reason, forKey: "reason")
    }
    try fields.encode(choice.map { "opencl:\($0.candidate.index)" } ?? "cpu", forKey: "auto")
    try fields.encode(choice?.reason ?? "no usable OpenCL device", forKey: "reason")
  }
}
