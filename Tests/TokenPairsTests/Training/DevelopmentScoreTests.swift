import ModelFiles
import Networks
import TestDevices
import Testing
import Weft

@testable import TokenPairs

/// The heads of whole models on features from a file find what `Extractor` finds.
@Suite struct DevelopmentScoreTests {
  private func compare(_ model: String, _ texts: [String], _ device: TestDevice, capacity: Int? = nil) async throws {
    let scratch = try Scratch()
    let engine = try await device.engine()
    let description = try ModelDescription(directory: model)
    let files = try EncoderFiles(directory: model)
    #expect(try files.prefix() == description.encoderPrefix)
    let reader = WindowReader(
      tokenizer: files.tokenizer, capacity: capacity ?? files.windowCapacity, overlap: capacity.map { $0 / 2 } ?? 128)
    let windows = texts.flatMap { reader.read($0).windows }
    let layout = FeatureLayout(
      key: .init(encoder: Checksum(), device: Checksum(), tokens: Checksum()), precision: .float32,
      hiddenSize: files.configuration.hiddenSize, lengths: windows.map(\.count))
    let encoder = try await TextEncoder(
      files.graph, weights: files.checkpoint, prefix: description.encoderPrefix, on: engine)
    var extraction = try FeatureExtraction(
      windows, encoder: encoder, layout: layout, to: scratch.file("f"), batchTokens: 512, on: engine)
    while try await extraction.next() {}
    let heads = [description.spanHead, description.linkHeads?.head, description.linkHeads?.tail].compactMap { $0 }
    let parameters = try heads.map {
      try $0.parameters(from: files.checkpoint, hiddenSize: files.configuration.hiddenSize)
    }

    // Gold that is what the extractor finds: with whole windows every item of it has to be found again.
    let extractor = try await Extractor(model: model, on: engine, options: .init(requiresTrigger: false))
    let found = try await extractor.documents(of: texts)
    let gold = found.map { document -> TrainingDocument.Gold in
      switch description.task {
      case .entities: .entities(Set(document.entities.map { .init(range: $0.codePoints, label: $0.label) }))
      case .relations:
        .relations(
          Set(
            document.relations.map {
              .init(subject: $0.subject.codePoints, predicate: $0.predicate, object: $0.object.codePoints)
            }))
      case .events:
        .events(
          document.events.map { event in
            .init(
              type: event.type,
              arguments: event.arguments.map { .init(role: $0.role, range: $0.codePoints, text: $0.text) })
          })
      }
    }
    let score = try DevelopmentScore(
      zip(texts, gold).map { TrainingDocument(text: $0, gold: $1) }, reader: reader,
      features: try FeatureCache(scratch.file("f"), layout),
      inventory: LabelInventory(task: description.task, labels: description.labels, links: description.links),
      positions: files.configuration.maximumPositions, on: engine)
    let total = try await score.evaluate(parameters, batchTokens: 300).total
    #expect(total.gold > 2 && total.correct == total.gold && total.predicted == total.gold, "\(total)")
  }

  @Test(arguments: TestDevice.available) func entities(device: TestDevice) async throws {
    let texts = [
      "Mr. Reed met his aunt in London.", "", "It rained.", "The Bishop of London walked through Hyde Park.",
    ]
    try await compare(BundledModels.directory(), texts, device)
  }

  private struct Line: Decodable { let text: String }

  @Test(
    .enabled(
      if: TestDevice.hasOpenCL && Places.hasShared("models/duee-events", "models/conll04-relations"),
      "needs an OpenCL device and ../shared"),
    arguments: [("models/conll04-relations", "data/conll04/dev.jsonl"), ("models/duee-events", "data/duee/dev.jsonl")])
  func links(model: String, data: String) async throws {
    let texts = try Places.lines(Places.inShared(data), as: Line.self).prefix(60).map(\.text)
    try await compare(Places.inShared(model), Array(texts), .openCL)
  }
}
