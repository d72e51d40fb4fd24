import Foundation
import ModelFiles
import Networks

@testable import Diffusion

/// A diffusers directory of a test's own, made of a golden network; gone with the value.
final class ModelDirectory: Sendable {
  /// How the files lie.
  struct Layout: Sendable {
    /// Files of weights.
    var shards = 1
    var isFloat16 = false
    /// Everything in one folder.
    var isFlat = false
    /// Attention's names until 2023.
    var hasOldNames = false
  }

  let path: String
  /// The folder with the network.
  let network: String

  /// - Parameters:
  ///   - golden: the network.
  ///   - layout: how its files lie.
  ///   - scheduler: what scheduler_config.json says.
  /// - Throws: what writing files throws.
  init(
    _ golden: UNetGolden, _ layout: Layout = Layout(), scheduler: String = #"{"_class_name": "DDIMScheduler"}"#
  ) throws {
    path = NSTemporaryDirectory() + "weft-model-" + UUID().uuidString
    network = layout.isFlat ? path : "\(path)/unet"
    let samplers = layout.isFlat ? path : "\(path)/scheduler"
    for folder in [network, samplers] {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }
    try golden.configuration.write(to: URL(filePath: "\(network)/config.json"))
    try Data(scheduler.utf8).write(to: URL(filePath: "\(samplers)/scheduler_config.json"))
    try writeWeights(golden, layout)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  private func writeWeights(_ golden: UNetGolden, _ layout: Layout) throws {
    let base = "\(network)/diffusion_pytorch_model"
    let names = golden.shapes.keys.sorted()
    var index: [String: String] = [:]
    for shard in 0..<layout.shards {
      var writer = SafetensorsWriter(metadata: ["format": "pt"])
      let file = "diffusion_pytorch_model-0000\(shard + 1)-of-0000\(layout.shards).safetensors"
      for (number, name) in names.enumerated() where number % layout.shards == shard {
        let shape = golden.shapes[name] ?? []
        let values = try MadeUpWeights().floats(named: name, shape: shape)
        let stored = layout.hasOldNames ? Self.oldName(name) : name
        writer.add(stored, Self.tensor(values, shape, isFloat16: layout.isFloat16))
        index[stored] = file
      }
      try writer.write(to: layout.shards == 1 ? "\(base).safetensors" : "\(network)/\(file)")
    }
    guard layout.shards > 1 else { return }
    let content: [String: Any] = ["metadata": ["total_size": 1], "weight_map": index]
    try JSONSerialization.data(withJSONObject: content)
      .write(to: URL(filePath: "\(base).safetensors.index.json"))
  }

  private static func tensor(_ values: [Float], _ shape: [Int], isFloat16: Bool) -> StoredTensor {
    guard isFloat16 else { return StoredTensor(floats: values, shape: shape) }
    let bytes = values.flatMap { value in
      let bits = HalfPrecision.narrow(value)
      return [UInt8(truncatingIfNeeded: bits), UInt8(truncatingIfNeeded: bits >> 8)]
    }
    return StoredTensor(type: .float16, shape: shape, bytes: bytes)
  }

  private static func oldName(_ name: String) -> String {
    var name = name
    for (new, old) in [
      (".to_q.", ".query."), (".to_k.", ".key."), (".to_v.", ".value."), (".to_out.0.", ".proj_attn."),
    ] { name = name.replacing(new, with: old) }
    return name
  }

  /// Changes fields of config.json; nil takes one away.
  func configure(_ changes: [String: Any?]) throws { try change("\(network)/config.json", changes) }

  private func change(_ file: String, _ changes: [String: Any?]) throws {
    let data = try Data(contentsOf: URL(filePath: file))
    var fields = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    for (name, value) in changes { fields[name] = value }
    try JSONSerialization.data(withJSONObject: fields).write(to: URL(filePath: file))
  }

  /// Rewrites the weights with other tensors.
  func reweigh(_ change: (inout [String: StoredTensor]) throws -> Void) throws {
    let file = "\(network)/diffusion_pytorch_model.safetensors"
    let checkpoint = try Checkpoint(file: file)
    var tensors: [String: StoredTensor] = [:]
    for name in checkpoint.names { tensors[name] = try checkpoint.tensor(named: name) }
    try change(&tensors)
    var writer = SafetensorsWriter()
    for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) { writer.add(name, tensor) }
    try writer.write(to: file)
  }
}

/// A folder of a test's own, gone with the value.
final class Folder: Sendable {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "weft-diffusion-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file.
  /// - Returns: its path.
  func write(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
    try Data(bytes).write(to: URL(filePath: "\(path)/\(name)"))
    return "\(path)/\(name)"
  }
}
