import Foundation
import Testing

@testable import Geometry
@testable import ModelFiles
@testable import TokenPairs
@testable import WeftCommand

/// Seeds in formats that only Weft writes. They follow the formats' versions: `WEFT_WRITE_SEEDS=1` writes them anew.
@Suite struct SeedTests {
  private static let corpora = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Corpora")

  private func check(_ target: String, _ name: String, _ bytes: [UInt8]) throws {
    let file = Self.corpora.appendingPathComponent(target).appendingPathComponent("seed-\(name)")
    if ProcessInfo.processInfo.environment["WEFT_WRITE_SEEDS"] == "1" {
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(bytes).write(to: file)
    }
    #expect(try Array(Data(contentsOf: file)) == bytes, "another format: WEFT_WRITE_SEEDS=1 writes the seeds anew")
  }

  @Test func checkpoints() throws {
    let folder = try FuzzFolder()
    let path = "\(folder.path)/seed"
    defer { unlink(path) }
    var checkpoint = TrainingCheckpoint(
      recipe: FuzzTarget.recipe, data: FuzzTarget.data, state: [.init(name: "a", shape: [2, 1], values: [1.5, 0])])
    try checkpoint.write(to: path)
    try check("checkpoint", "start", fileContent(path))
    checkpoint.progress = .init(
      epochs: [
        TrainingEpoch(
          epoch: 1, step: 3, loss: 0.25, learningRate: 0.5, predicted: 4, gold: 5, correct: 2, tokens: 7, seconds: 0.5,
          developmentSeconds: 0.25)
      ], step: 3, bestEpoch: 1)
    checkpoint.best = FuzzTarget.heads
    try checkpoint.write(to: path)
    try check("checkpoint", "epoch", fileContent(path))
  }

  @Test func features() throws {
    let folder = try FuzzFolder()
    let path = "\(folder.path)/seed"
    defer { unlink(path) }
    let writer = try FeatureWriter(path, FuzzTarget.layout)
    for length in FuzzTarget.layout.lengths { try writer.add([Float](repeating: 0.5, count: 2 * length)) }
    try writer.finish()
    try check("features", "halves", fileContent(path))
  }

  @Test func proofs() throws {
    var writer = JSONWriter()
    ArgmaxableProofHeader(try FuzzTarget.layer.get()).write(to: &writer)
    for proof in [
      ClassProof(index: 0, claim: .argmaxable(.row(scale: 1))),
      ClassProof(index: 1, claim: .argmaxable(.vector([-1, 1]))),
      ClassProof(index: 2, claim: .argmaxable(.centredRow(scale: 2))),
      ClassProof(
        index: 4, claim: .unargmaxable(.init(classes: [0, 1, 2, 3], weights: [0.375, 0.1875, 0.25, 0.1875]))),
      ClassProof(index: 3, claim: .undecided(.init(classes: [0, 1], weights: [0.5, 0.5]), bound: 0.5)),
      ClassProof(index: 3, claim: .tied(with: 2, .above(.row(scale: 1)))),
    ] { ArgmaxableProofLine.write(proof, to: &writer) }
    try check("proofs", "square", writer.bytes)
  }
}
