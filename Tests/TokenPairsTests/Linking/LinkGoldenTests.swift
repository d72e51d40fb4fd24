import TestDevices
import Testing
import Weft

@testable import TokenPairs

/// The link models on their development parts, against what PyTorch and an independent decoder found.
@Suite(.serialized) struct LinkGoldenTests {
  private struct Text: Decodable {
    let id: String
    let text: String
  }

  /// Relations as `[subject start, subject end, predicate, object start, object end]`.
  private struct GoldenRelations: Decodable {
    let id: String
    let predicted: [[Value]]
  }

  /// Events as `[type, [[role, start, end], …]]`.
  private struct GoldenEvents: Decodable {
    let id: String
    let predicted: [Event]

    struct Event: Decodable, Hashable {
      let type: String
      let arguments: Set<[Value]>

      init(type: String, arguments: Set<[Value]>) {
        self.type = type
        self.arguments = arguments
      }

      init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        type = try list.decode(String.self)
        arguments = Set(try list.decode([[Value]].self))
      }
    }
  }

  private enum Value: Decodable, Hashable {
    case number(Int)
    case text(String)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let number = try? container.decode(Int.self) {
        self = .number(number)
      } else {
        self = .text(try container.decode(String.self))
      }
    }
  }

  private static let devices = TestDevice.available

  private func documents(
    _ model: String, _ texts: [Text], on device: TestDevice
  ) async throws -> [ExtractedDocument] {
    let extractor = try await Extractor(model: Places.inShared("models/\(model)"), on: device.engine())
    return try await extractor.documents(of: texts.map(\.text))
  }

  @Test(
    .enabled(
      if: Places.hasShared("models/conll04-relations/predicted-dev.jsonl", "data/conll04/dev.jsonl"),
      "needs ../shared"), arguments: devices)
  func relationsAreThoseOfPyTorch(device: TestDevice) async throws {
    let count = device == .reference ? 6 : 243
    let texts = try Places.lines(Places.inShared("data/conll04/dev.jsonl"), as: Text.self).prefix(count)
    let goldens = try Places.lines(
      Places.inShared("models/conll04-relations/predicted-dev.jsonl"), as: GoldenRelations.self
    ).prefix(count)
    #expect(texts.count == count && texts.map(\.id) == goldens.map(\.id))
    let documents = try await documents("conll04-relations", Array(texts), on: device)
    for (golden, document) in zip(goldens, documents) {
      let found = document.relations.map { relation -> [Value] in
        [
          .number(relation.subject.codePoints.lowerBound), .number(relation.subject.codePoints.upperBound),
          .text(relation.predicate), .number(relation.object.codePoints.lowerBound),
          .number(relation.object.codePoints.upperBound),
        ]
      }
      #expect(Set(found) == Set(golden.predicted) && found.count == golden.predicted.count, "\(golden.id)")
      #expect(document.entities.isEmpty && document.events.isEmpty && !document.isTruncated)
    }
  }

  @Test(
    .enabled(
      if: Places.hasShared("models/duee-events/predicted-dev.jsonl", "data/duee/dev.jsonl"), "needs ../shared"),
    arguments: devices)
  func eventsAreThoseOfPyTorch(device: TestDevice) async throws {
    let count = device == .reference ? 30 : 1498
    let texts = try Places.lines(Places.inShared("data/duee/dev.jsonl"), as: Text.self).prefix(count)
    let goldens = try Places.lines(
      Places.inShared("models/duee-events/predicted-dev.jsonl"), as: GoldenEvents.self
    ).prefix(count)
    #expect(texts.count == count && texts.map(\.id) == goldens.map(\.id))
    let documents = try await documents("duee-events", Array(texts), on: device)
    for (golden, document) in zip(goldens, documents) {
      let found = document.events.map { event in
        GoldenEvents.Event(
          type: event.type,
          arguments: Set(
            event.arguments.map {
              [.text($0.role), .number($0.codePoints.lowerBound), .number($0.codePoints.upperBound)]
            }))
      }
      #expect(Set(found) == Set(golden.predicted) && found.count == golden.predicted.count, "\(golden.id)")
      #expect(document.entities.isEmpty && document.relations.isEmpty && !document.isTruncated)
      for argument in document.events.flatMap(\.arguments) {
        #expect(argument.text == String(document.text[argument.range]) && argument.score > 0)
      }
    }
  }
}
