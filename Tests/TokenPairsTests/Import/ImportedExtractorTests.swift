import Foundation
import ModelFiles
import TestDevices
import Testing
import Weft

@testable import TokenPairs

/// From a foreign checkpoint to entities in text.
@Suite struct ImportedExtractorTests {
  /// Against the same numbers in a model directory that needs no import.
  @Test(arguments: ["bert4keras", "paddle", "bert4torch", "xhw205", "ark-nlp", "taishan1994"])
  func entitiesAreThoseOfTheSameWeightsUnimported(dialect: String) async throws {
    let route = try #require(
      ImportRouteCase.all.first { $0.dialect == dialect && $0.task == .entities && $0.kind == .efficient })
    let checkpoint = try ForeignCheckpoint(route)
    try checkpoint.write()
    try ModelImporter(checkpoint.request).run()

    let plain = try Scratch()
    try SmallEncoder.writeFiles(to: plain)
    let stored = checkpoint.heads[0]
    try stored.write(to: plain)
    let labels = route.labels.map { "\"\($0)\"" }.joined(separator: ", ")
    let description = try String(contentsOfFile: plain.file("globalpointer.json"), encoding: .utf8)
      .replacingOccurrences(of: "\"L0\", \"L1\", \"L2\"", with: labels)
    try plain.write("globalpointer.json", description)
    var writer = SafetensorsWriter()
    for array in checkpoint.encoder.arrays {
      writer.add("bert.\(array.name)", floats: array.values, shape: array.shape)
    }
    stored.projection.add(to: &writer, "head.p_dense", inputsFirst: stored.row.storesInputsFirst)
    stored.bias.add(to: &writer, "head.q_dense", inputsFirst: stored.row.storesInputsFirst)
    try writer.write(to: plain.file("model.safetensors"))

    let texts = ["mr. reeds left a reed.", "a reed", "left left left mr mr."]
    let options = Extractor.Options(threshold: -1)
    let engine = try await TestDevice.reference.engine()
    let imported = try await Extractor(
      model: checkpoint.scratch.file("model"), on: engine, options: options)
    let unimported = try await Extractor(model: plain.path, on: engine, options: options)
    let found = try await imported.documents(of: texts)
    #expect(try await unimported.documents(of: texts) == found)
    let count = found.map(\.entities.count).reduce(0, +)
    #expect(count > 5 && count < 150, "\(count): some spans, not all")
  }
}
