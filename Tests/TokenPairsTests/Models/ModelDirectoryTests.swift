import Foundation
import ModelFiles
import TestDevices
import Testing
import Weft

@testable import TokenPairs

/// The forms in which a model directory may come.
@Suite(.enabled(if: TestDevice.hasOpenCL)) struct ModelDirectoryTests {
  @Test func shardsAndAPlainVocabularyGiveTheSameDocuments() async throws {
    let bundled = try BundledModels.directory()
    let scratch = try Scratch()
    for name in ["config.json", "globalpointer.json", "tokenizer_config.json", "vocab.txt"] {
      try scratch.copy(name, from: bundled)
    }
    try writeShards(of: "\(bundled)/model.safetensors", to: scratch)
    let extractor = try await Extractor(
      model: scratch.path, on: TestDevice.openCL.engine())
    let texts = try ExtractorNeighbourTests.sentences()
    #expect(
      try await extractor.documents(of: texts) == Extractors.openCL().documents(of: texts))
  }

  @Test func aTokenizerThatIsTooLargeIsRefused() async throws {
    let bundled = try BundledModels.directory()
    let scratch = try Scratch()
    for name in ["config.json", "globalpointer.json", "tokenizer_config.json", "model.safetensors"] {
      try scratch.copy(name, from: bundled)
    }
    let vocabulary = try String(contentsOfFile: "\(bundled)/vocab.txt", encoding: .utf8)
    try scratch.write("vocab.txt", vocabulary + "onemoreword\n")
    let error = try await #require(throws: ModelFileError.self) {
      _ = try await Extractor(model: scratch.path, on: TestDevice.openCL.engine())
    }
    #expect(error.description.contains("9035") && error.description.contains("9034"), "\(error)")
  }

  @Test func aModelWithFewPositionsReadsALongTextInFewWindows() async throws {
    let scratch = try Scratch()
    try writeModel(positions: 40, to: scratch)
    let extractor = try await Extractor(
      model: scratch.path, on: TestDevice.openCL.engine(), options: .init(windowOverlap: 128))
    let short = "Mr. Bennet went to London ."
    let whole = try await Extractors.openCL()
    #expect(try await extractor.documents(of: [short]) == whole.documents(of: [short]))

    let text = String(repeating: short + " ", count: 50)
    let plan = extractor.reader.read(text).plan
    // Half of a window is new, so that a token is read about twice.
    let tokens = try #require(plan.windows.last?.upperBound)
    #expect(tokens > 300)
    #expect(plan.windows.reduce(0) { $0 + $1.count } < 2 * tokens + 38)
    let found = try await extractor.documents(of: [text])[0].entities
    #expect(found.count { $0.text == "London" } == 50)
  }

  @Test(arguments: [1, 2]) func aModelWithoutRoomForTextIsRefused(positions: Int) async throws {
    let scratch = try Scratch()
    try writeModel(positions: positions, to: scratch)
    let error = try await #require(throws: ModelFileError.self) {
      _ = try await Extractor(model: scratch.path, on: TestDevice.openCL.engine())
    }
    #expect(error.description.contains("config.json"), "\(error)")
    #expect(error.description.contains("'max_position_embeddings'"), "\(error)")
  }

  @Test func spansThatEndBeforeTheyBeginAreNoEntities() async throws {
    let bundled = try BundledModels.directory()
    let scratch = try Scratch()
    for name in ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"] {
      try scratch.copy(name, from: bundled)
    }
    let description = try String(contentsOfFile: "\(bundled)/globalpointer.json", encoding: .utf8)
    let untriangled = description.replacingOccurrences(
      of: "\"triangular\": true", with: "\"triangular\": false")
    #expect(untriangled != description)
    try scratch.write("globalpointer.json", untriangled)
    let options = Extractor.Options(threshold: -8)
    let texts = ["Mr. Bennet went to London .", "Alice was tired of the old house ."]
    let square = try await Extractor(
      model: scratch.path, on: TestDevice.openCL.engine(), options: options)
    let triangle = try await Extractors.load(.openCL, options)
    #expect(try await square.documents(of: texts) == triangle.documents(of: texts))
  }

  /// The bundled model with its position table cut short.
  private func writeModel(positions: Int, to scratch: Scratch) throws {
    let bundled = try BundledModels.directory()
    for name in ["globalpointer.json", "tokenizer_config.json", "tokenizer.json"] {
      try scratch.copy(name, from: bundled)
    }
    let config = try String(contentsOfFile: "\(bundled)/config.json", encoding: .utf8)
    try scratch.write(
      "config.json",
      config.replacingOccurrences(
        of: "\"max_position_embeddings\": 512", with: "\"max_position_embeddings\": \(positions)"))
    let whole = try SafetensorsFile(path: "\(bundled)/model.safetensors")
    var writer = SafetensorsWriter()
    for name in whole.tensors.keys.sorted() {
      var shape = try whole.entry(named: name).shape
      var floats = try whole.floats(named: name)
      if name.hasSuffix("position_embeddings.weight") {
        shape[0] = positions
        floats.removeSubrange((positions * shape[1])...)
      }
      writer.add(name, floats: floats, shape: shape, as: .float16)
    }
    try writer.write(to: scratch.file("model.safetensors"))
  }

  /// Spreads the tensors over three files, float16 as they were, and writes the index.
  private func writeShards(of path: String, to scratch: Scratch) throws {
    let whole = try SafetensorsFile(path: path)
    var shards = Array(repeating: SafetensorsWriter(), count: 3)
    var map: [String: String] = [:]
    for (index, name) in whole.tensors.keys.sorted().enumerated() {
      let entry = try whole.entry(named: name)
      #expect(entry.elementType == .float16)
      shards[index % 3].add(
        name, floats: try whole.floats(named: name), shape: entry.shape, as: .float16)
      map[name] = "model-\(index % 3).safetensors"
    }
    for (index, shard) in shards.enumerated() {
      try shard.write(to: scratch.file("model-\(index).safetensors"))
    }
    let data = try JSONEncoder().encode(["weight_map": map])
    try scratch.write("model.safetensors.index.json", String(decoding: data, as: UTF8.self))
  }
}
