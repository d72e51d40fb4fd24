import Foundation
import ModelFiles
import Networks
import TestDevices
import Testing

@testable import Diffusion

/// Model directories that cannot be used: one line that names the file and what is wrong in it.
@Suite struct BadModelTests {
  private func check(_ directory: ModelDirectory, _ words: String...) {
    do {
      try DiffusionModelFiles(directory: directory.path).checkWeights()
      Issue.record("nothing was refused")
    } catch {
      for word in words { #expect(error.description.contains(word), "no '\(word)' in \(error)") }
      #expect(!error.description.contains("\n"))
    }
  }

  private func model() throws -> ModelDirectory { try ModelDirectory(try UNetGolden.named("scale and shift")) }

  @Test func aSoundModelPasses() throws {
    let directory = try model()
    try DiffusionModelFiles(directory: directory.path).checkWeights()
    withExtendedLifetime(directory) {}
  }

  @Test func aMissingTensor() throws {
    let directory = try model()
    try directory.reweigh { $0["mid_block.resnets.0.conv1.weight"] = nil }
    check(directory, "tensor 'mid_block.resnets.0.conv1.weight'", "not among", "up_blocks.0.resnets.0.conv1.weight")
  }

  @Test func aTensorTooMany() throws {
    let directory = try model()
    try directory.reweigh { tensors in
      for name in ["class_embedding.weight", "zero.bias"] { tensors[name] = StoredTensor(floats: [1], shape: [1]) }
    }
    check(directory, "tensor 'class_embedding.weight'", "no part", "1 others")
  }

  @Test func aTensorOfAnotherShape() throws {
    let directory = try model()
    try directory.reweigh { $0["conv_in.bias"] = StoredTensor(floats: [1, 2], shape: [2]) }
    check(directory, "tensor 'conv_in.bias'", "[2]", "[8]")
  }

  /// A number that is no number would end in black images.
  @Test func aWeightThatIsNoNumber() async throws {
    let directory = try model()
    try directory.reweigh { $0["conv_in.bias"] = StoredTensor(floats: [Float](repeating: .nan, count: 8), shape: [8]) }
    let files = try DiffusionModelFiles(directory: directory.path)
    let engine = try await TestDevice.reference.engine()
    await #expect(throws: ModelFileError.self) { try await NetworkDenoiser(files, on: engine) }
    withExtendedLifetime(directory) {}
  }

  /// A sampler that takes its variance from a network that tells none.
  @Test func aSamplerOfAnotherNetwork() throws {
    let directory = try ModelDirectory(
      try UNetGolden.named("scale and shift"),
      scheduler: #"{"_class_name": "DDPMScheduler", "variance_type": "learned_range"}"#)
    check(directory, "scheduler_config.json", "'variance_type'", "tells no variance")
  }

  /// Configurations that contradict the weights.
  @Test func aContradictingConfiguration() throws {
    for (changes, words) in [
      (["block_out_channels": [8, 24]], ["shape", "config.json"]),
      (["layers_per_block": 2], ["tensor", "not among"]),
      (["in_channels": 3, "out_channels": 3], ["conv_in.weight", "[8, 1, 3, 3]", "[8, 3, 3, 3]"]),
      (["resnet_time_scale_shift": "default"], ["time_emb_proj", "shape"]),
      (["mid_block_type": NSNull()], ["mid_block", "no part"]),
      (["down_block_types": ["DownBlock2D", "DownBlock2D"]], ["down_blocks.1.attentions", "no part"]),
    ] as [([String: Any], [String])] {
      let directory = try model()
      try directory.configure(changes)
      do {
        try DiffusionModelFiles(directory: directory.path).checkWeights()
        Issue.record("\(changes) was not refused")
      } catch { for word in words { #expect(error.description.contains(word), "\(error)") } }
    }
  }

  @Test func answersThatAreNoSamples() throws {
    let directory = try model()
    try directory.configure(["out_channels": 3])
    check(directory, "out_channels", "twice as many")
  }

  @Test func filesThatAreNotThere() throws {
    let directory = try model()
    let files = FileManager.default
    try files.removeItem(atPath: "\(directory.path)/scheduler/scheduler_config.json")
    check(directory, "scheduler/scheduler_config.json")
    try files.removeItem(atPath: "\(directory.network)/config.json")
    check(directory, "unet/config.json", "UNet2DModel")
    let other = try model()
    try files.removeItem(atPath: "\(other.network)/diffusion_pytorch_model.safetensors")
    try Data([1]).write(to: URL(filePath: "\(other.network)/diffusion_pytorch_model.bin"))
    check(other, "diffusion_pytorch_model.safetensors", "safe_serialization")
    #expect(throws: ModelFileError.self) { try DiffusionModelFiles(directory: "/nowhere/at/all") }
  }

  /// A network on the latents of an autoencoder makes no images.
  @Test func aPipelineWithMoreParts() throws {
    let directory = try model()
    let index =
      #"{"_class_name": "LDMPipeline", "unet": ["diffusers", "UNet2DModel"], "vqvae": ["diffusers", "VQModel"]}"#
    try Data(index.utf8).write(to: URL(filePath: "\(directory.path)/model_index.json"))
    check(directory, "model_index.json", "vqvae")
  }
}
