import Foundation
import ModelFiles
import TestDevices
import Testing
import Weft

@testable import TokenPairs

/// Every route: weights written as a training code leaves them, scores as that code computes them.
@Suite struct ImportRouteTests {
  @Test func everyDialectHasARoute() {
    let imported = Set(ImportRouteCase.all.map(\.dialect))
    #expect(imported.union(["weft"]) == Set(HeadDialect.all.map(\.name)))
  }

  @Test(arguments: ImportRouteCase.all)
  func scoresAreThoseOfTheTrainingCode(route: ImportRouteCase) throws {
    let checkpoint = try ForeignCheckpoint(route)
    try checkpoint.write()
    let summary = try ModelImporter(checkpoint.request).run()
    #expect(summary.leftOut.isEmpty && summary.kind == route.kind && summary.headSize == 4)
    #expect(summary.layerCount == 2 && summary.hiddenSize == 8)

    let model = checkpoint.scratch.file("model")
    let description = try ModelDescription(directory: model)
    #expect(description.task == route.task && description.labels == route.labels)
    #expect(description.links == (route.task == .events ? ["link"] : route.predicates))
    #expect(description.spanHead.dialect.name == "weft" && description.encoderPrefix == "bert.")
    let heads = [description.spanHead, description.linkHeads?.head, description.linkHeads?.tail].compactMap { $0 }
    #expect(heads.count == checkpoint.heads.count)
    let tensors = try Checkpoint(directory: model)
    for (stored, head) in zip(checkpoint.heads, heads) {
      let parameters = try head.parameters(from: tensors, hiddenSize: SmallEncoder.hiddenSize)
      check(StoredHead(normal: parameters, hiddenSize: SmallEncoder.hiddenSize), against: stored)
    }
  }

  @Test(arguments: ImportRouteCase.all)
  func theEncoderKeepsEveryNumber(route: ImportRouteCase) throws {
    let checkpoint = try ForeignCheckpoint(route)
    try checkpoint.write()
    try ModelImporter(checkpoint.request).run()
    let model = checkpoint.scratch.file("model")
    let tensors = try Checkpoint(directory: model)
    for array in checkpoint.encoder.arrays {
      #expect(try tensors.floats(named: "bert.\(array.name)", shape: array.shape) == array.values, "\(array.name)")
    }
    let layers = checkpoint.heads.count * (route.kind == .efficient ? 2 : 1)
    #expect(tensors.names.count == checkpoint.encoder.arrays.count + 2 * layers)
    #expect(
      try BertConfiguration(directory: model) == BertConfiguration(directory: checkpoint.scratch.path))
    #expect(try WordPieceTokenizer(directory: model).vocabularySize == 10)
  }

  @Test(arguments: [HeadKind.efficient, .globalPointer])
  func aHeadWithoutRotationStaysWithout(kind: HeadKind) throws {
    let route = try #require(ImportRouteCase.all.first { $0.dialect == "bert4torch" && $0.kind == kind })
    let checkpoint = try ForeignCheckpoint(route, headSize: 3, rope: false)
    try checkpoint.write()
    var request = try checkpoint.request
    let error = #expect(throws: ModelFileError.self) { try ModelImporter(request).run() }
    #expect(error?.description.contains("--no-rope") == true)
    request.rope = false
    try ModelImporter(request).run()
    let head = try ModelDescription(directory: request.destination).spanHead
    #expect(!head.shape.rope && head.shape.headSize == 3)
    let parameters = try head.parameters(
      from: Checkpoint(directory: request.destination), hiddenSize: SmallEncoder.hiddenSize)
    check(StoredHead(normal: parameters, hiddenSize: SmallEncoder.hiddenSize), against: checkpoint.heads[0])
  }

  /// Compares two heads on random hidden states; the sums differ in their order only.
  private func check(_ normal: StoredHead, against stored: StoredHead) {
    var random = SeededGenerator(77)
    let hidden = (0..<9).map { _ in random.floats(SmallEncoder.hiddenSize).map { Double($0) } }
    let (found, expected) = (normal.scores(hidden: hidden), stored.scores(hidden: hidden))
    #expect(Set(found.keys) == Set(expected.keys))
    let worst = expected.map { place, score in abs(score - (found[place] ?? .infinity)) }.max() ?? .infinity
    #expect(worst < 1e-12)
    // The scores tell types and directions apart: a wrong order would not go unnoticed.
    #expect(Set(expected.values).count == expected.count)
  }
}

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

/// The ways in which labels are given.
@Suite struct LabelListTests {
  @Test func aListWithCommas() throws {
    #expect(try LabelList.read("PER, LOC,ORG") == ["PER", "LOC", "ORG"])
    #expect(try LabelList.read("A/b") == ["A/b"])
    #expect(try LabelList.read("A,,B") == ["A", "", "B"], "the empty one is refused later, by name")
  }

  @Test(arguments: [
    ("labels.txt", "PER\nLOC\r\n\n ORG \n"), ("labels", "PER\nLOC\nORG"),
    ("labels.json", "[\"PER\", \"LOC\", \"ORG\"]"),
    ("label2id.json", " {\"ORG\": 2, \"PER\": 0, \"LOC\": 1}"),
    ("id2label.json", "{\"2\": \"ORG\", \"0\": \"PER\", \"1\": \"LOC\"}"),
  ])
  func aFile(name: String, content: String) throws {
    let scratch = try Scratch()
    try scratch.write(name, content)
    #expect(try LabelList.read(scratch.file(name)) == ["PER", "LOC", "ORG"])
  }

  @Test(arguments: [
    ("gap.json", "{\"A\": 0, \"B\": 2}", "0 to 1"), ("twice.json", "{\"A\": 0, \"B\": 0}", "each once"),
    ("other.json", "[1, 2]", "JSON array"), ("broken.json", "[\"A\"", "JSON array"),
    ("nested.json", "{\"A\": [0]}", "JSON"),
  ])
  func aFileOfAnotherKind(name: String, content: String, word: String) throws {
    let scratch = try Scratch()
    try scratch.write(name, content)
    let error = #expect(throws: ModelFileError.self) { try LabelList.read(scratch.file(name)) }
    #expect(
      error?.description.contains(word) == true && error?.file == scratch.file(name), "\(String(describing: error))")
  }

  @Test func aMissingFileIsNotTakenForALabel() throws {
    let error = #expect(throws: ModelFileError.self) { try LabelList.read("/nowhere/labels.txt") }
    #expect(error?.description.contains("/nowhere/labels.txt: cannot be opened: No such file") == true)
  }
}
