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
    print(json ? report(inventory, choice) : table(inventory, choice), terminator: "")
  }

  private typealias Choice = (candidate: DeviceCandidate, reason: String)?

  private func table(_ inventory: DeviceInventory, _ choice: Choice) -> String {
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
    let terminal = Terminal(describing: STDOUT_FILENO)
    var text = devices.render(on: terminal) + "\n"
    if !candidates.isEmpty { text += drivers.render(on: terminal) + "\n" }
    for candidate in candidates {
      if let obstacle = candidate.obstacle { text += "opencl:\(candidate.index) cannot be used: \(obstacle)\n" }
    }
    for platform in inventory.emptyPlatforms { text += "platform \(platform.name): \(platform.reason)\n" }
    if let choice {
      text += "auto: opencl:\(choice.candidate.index), \(choice.candidate.name) (\(choice.reason))\n"
    } else {
      text += "auto: cpu, because there is no usable OpenCL device (Debian: apt install pocl-opencl-icd)\n"
    }
    return text
  }

  private func report(_ inventory: DeviceInventory, _ choice: Choice) -> String {
    let candidates = inventory.candidates
    var writer = JSONWriter()
    writer.beginObject()
    writer.name("devices")
    writer.beginArray()
    for candidate in candidates {
      let device = candidate.description
      writer.beginObject()
      let texts = [
        ("device", "opencl:\(candidate.index)"), ("name", device.name), ("platform", device.platform),
        ("driver", device.driver), ("type", device.kind.rawValue), ("variant", device.variant),
      ]
      for (name, value) in texts {
        writer.name(name)
        writer.string(value)
      }
      for (name, value) in [("compute_units", device.computeUnits), ("memory_bytes", device.memoryBytes)] {
        writer.name(name)
        writer.integer(value)
      }
      writer.name("usable")
      writer.boolean(candidate.obstacle == nil)
      writer.endObject()
    }
    writer.endArray()
    writer.name("platforms_without_devices")
    writer.beginArray()
    for platform in inventory.emptyPlatforms {
      writer.beginObject()
      writer.name("platform")
      writer.string(platform.name)
      writer.name("reason")
      writer.string(platform.reason)
      writer.endObject()
    }
    writer.endArray()
    writer.name("auto")
    writer.string(choice.map { "opencl:\($0.candidate.index)" } ?? "cpu")
    writer.name("reason")
    writer.string(choice?.reason ?? "no usable OpenCL device")
    writer.endObject()
    writer.newline()
    return writer.string
  }
}
