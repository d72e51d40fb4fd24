import Foundation
import TokenPairs
import Weft

/// One extracted entity as a line of output shows it.
struct EntityRecord: Equatable, Sendable {
  /// Offsets in the unit the user asked for, end-exclusive.
  var start: Int
  var end: Int
  var label: String
  var text: String
  /// The raw score; above the threshold.
  var score: Float
  /// The logistic function of twice the score.
  var probability: Float
}

/// One extracted relation as a line of output shows it.
struct RelationRecord: Equatable, Sendable {
  var subject: EntityRecord
  var predicate: String
  var object: EntityRecord
  /// The lower of the two links' raw scores.
  var score: Float
}

/// One extracted event as a line of output shows it.
struct EventRecord: Equatable, Sendable {
  var type: String
  /// The label of each is the role.
  var arguments: [EntityRecord]
}

/// What a model found in one document.
enum ResultRecord: Equatable, Sendable {
  case entities([EntityRecord])
  case relations([RelationRecord])
  case events([EventRecord])

  /// The member that holds it; an input line's own member of that name is replaced.
  var memberName: String {
    switch self {
    case .entities: "entities"
    case .relations: "relations"
    case .events: "events"
    }
  }
}

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

/// The lines that `weft extract` writes.
enum OutputRecord {
  /// `{"id":…, …the input's other members…, "entities":[…]}` and a line break, with `"truncated":true` at the end if
  /// there was more than could be looked at.
  static func write(
    _ result: ResultRecord, isTruncated: Bool = false, of line: JSONLine, number: Int, to writer: inout JSONWriter
  ) {
    line.write(to: &writer, number: number, replacing: [result.memberName, "truncated"]) { writer in
      writer.name(result.memberName)
      switch result {
      case .entities(let entities): list(entities, to: &writer) { write($0, to: &$1) }
      case .relations(let relations): list(relations, to: &writer) { write($0, to: &$1) }
      case .events(let events): list(events, to: &writer) { write($0, to: &$1) }
      }
      guard isTruncated else { return }
      writer.name("truncated")
      writer.boolean(true)
    }
    writer.newline()
  }

  /// `{"line":N,"error":"…"}` and a line break: what stands in for a line that failed.
  static func writeFailure(line number: Int, message: String, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.field("line", number)
    writer.field("error", message)
    writer.endObject()
    writer.newline()
  }

  private static func list<Record>(
    _ records: [Record], to writer: inout JSONWriter, _ write: (Record, inout JSONWriter) -> Void
  ) {
    writer.beginArray()
    for record in records { write(record, &writer) }
    writer.endArray()
  }

  private static func write(_ relation: RelationRecord, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.name("subject")
    write(relation.subject, to: &writer)
    writer.field("predicate", relation.predicate)
    writer.name("object")
    write(relation.object, to: &writer)
    writer.field("score", relation.score)
    writer.endObject()
  }

  private static func write(_ event: EventRecord, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.field("type", event.type)
    writer.name("arguments")
    list(event.arguments, to: &writer) { argument, writer in
      writer.beginObject()
      writer.field("role", argument.label)
      writeSpan(argument, label: nil, to: &writer)
      writer.endObject()
    }
    writer.endObject()
  }

  private static func write(_ entity: EntityRecord, to writer: inout JSONWriter) {
    writer.beginObject()
    writeSpan(entity, label: entity.label, to: &writer)
    writer.endObject()
  }

  /// The members that every span has.
  private static func writeSpan(_ span: EntityRecord, label: String?, to writer: inout JSONWriter) {
    writer.field("start", span.start)
    writer.field("end", span.end)
    if let label { writer.field("label", label) }
    writer.field("text", span.text)
    writer.field("score", span.score)
    writer.field("probability", span.probability)
  }
}
