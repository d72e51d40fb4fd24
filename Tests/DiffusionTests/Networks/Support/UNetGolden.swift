import Foundation
import ModelFiles
import Networks
import Testing

/// One network of unets.json, with what diffusers answered (Goldens/unet/make_unet_goldens.py).
struct UNetGolden: Sendable {
  let name: String
  /// config.json, what differs from the class's defaults.
  let configuration: Data
  let shapes: [String: [Int]]
  let timesteps: [Int]
  let hasOldNames: Bool
  /// Of the run of DDIM, where there is one.
  let scheduler: Data?
  let steps: Int

  /// How many images the answers are for.
  static let images = 2

  static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Goldens/unet").path

  /// The stored networks; a file that cannot be read fails `theFileHoldsTheNetworks`.
  static let all: [UNetGolden] = (try? read()) ?? []

  static func named(_ name: String) throws -> UNetGolden { try #require(all.first { $0.name == name }) }

  private static func read() throws -> [UNetGolden] {
    let data = try Data(contentsOf: URL(filePath: "\(folder)/unets.json"))
    let file = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    return try #require(file["networks"] as? [[String: Any]]).map { record in
      UNetGolden(
        name: try #require(record["name"] as? String),
        configuration: try JSONSerialization.data(withJSONObject: try #require(record["config"])),
        shapes: try #require(record["shapes"] as? [String: [Int]]),
        timesteps: try #require(record["timesteps"] as? [Int]), hasOldNames: record["oldNames"] as? Bool ?? false,
        scheduler: try record["scheduler"].map { try JSONSerialization.data(withJSONObject: $0) },
        steps: record["steps"] as? Int ?? 0)
    }
  }

  /// Numbers that go with the network: `noise`, `forward.999`, `ddim`.
  func numbers(_ part: String) throws -> [Float] {
    let stored = try Self.store.get()
    let key = "\(name).\(part)"
    return try stored.floats(named: key, shape: try #require(stored.entry(named: key)).shape)
  }

  private static let store = Result { try Checkpoint(file: "\(folder)/unets.safetensors") }
}

/// Weights that are functions of their names: those of make_unet_goldens.py.
struct MadeUpWeights: WeightSource {
  func floats(named name: String, shape: [Int]) throws(ModelFileError) -> [Float] {
    let start = name.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    return (0..<shape.reduce(1, *)).map { index in
      let bits = Self.mixed(start &+ UInt64(index) &* 0x9E37_79B9_7F4A_7C15)
      let unit = Double(2 * Int(bits >> 53) - 2047) / 2048
      if shape.count > 1 {
        let inputs = Double(shape.dropFirst().reduce(1, *))
        return Float(unit * pow(2, log2((3 / inputs).squareRoot()).rounded(.toNearestOrEven)))
      }
      let isGain = name.contains("norm") && name.hasSuffix("weight")
      return isGain ? Float(1 + Double(bits >> 60) / 64 - 0.125) : Float(unit / 8)
    }
  }

  /// SplitMix64's output function.
  private static func mixed(_ state: UInt64) -> UInt64 {
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
