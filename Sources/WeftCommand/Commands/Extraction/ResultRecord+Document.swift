import Foundation
import TokenPairs
import Weft

extension ResultRecord {
  /// What a document holds for the model's task, with offsets in the unit the user asked for.
  init(_ document: ExtractedDocument, task: ModelTask, offsets: OffsetUnit) {
    let places = TextPlaces(text: document.text, unit: offsets)
    switch task {
    case .entities: self = .entities(document.entities.map(places.record))
    case .relations:
      self = .relations(
        document.relations.map {
          RelationRecord(
            subject: places.record($0.subject), predicate: $0.predicate, object: places.record($0.object),
            score: $0.score)
        })
    case .events:
      self = .events(
        document.events.map { EventRecord(type: $0.type, arguments: $0.arguments.map(places.record)) })
    }
  }
}

/// What "start" and "end" count.
enum OffsetUnit: String, CaseIterable {
  case codepoint, utf16, utf8
}

/// Counts a text's places.
private struct TextPlaces {
  let text: String
  let unit: OffsetUnit

  func record(_ entity: Entity) -> EntityRecord {
    let span = span(entity.codePoints, entity.range)
    return EntityRecord(
      start: span.lowerBound, end: span.upperBound, label: entity.label, text: entity.text, score: entity.score,
      probability: entity.probability)
  }

  func record(_ argument: EventArgument) -> EntityRecord {
    let span = span(argument.codePoints, argument.range)
    return EntityRecord(
      start: span.lowerBound, end: span.upperBound, label: argument.role, text: argument.text, score: argument.score,
      probability: argument.probability)
  }

  private func span(_ codePoints: Range<Int>, _ range: Range<String.Index>) -> Range<Int> {
    func count(_ index: String.Index) -> Int {
      switch unit {
      case .codepoint: text.unicodeScalars.distance(from: text.startIndex, to: index)
      case .utf16: text.utf16.distance(from: text.startIndex, to: index)
      case .utf8: text.utf8.distance(from: text.startIndex, to: index)
      }
    }
    guard unit != .codepoint else { return codePoints }
    return count(range.lowerBound)..<count(range.upperBound)
  }
}
