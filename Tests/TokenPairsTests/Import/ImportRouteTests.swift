import Foundation
import ModelFiles
import Testing

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
    #expect(!head.rope && head.headSize == 3)
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
