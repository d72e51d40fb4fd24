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
    writer.name("line")
    writer.integer(number)
    writer.name("error")
    writer.string(message)
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
    writer.name("predicate")
    writer.string(relation.predicate)
    writer.name("object")
    write(relation.object, to: &writer)
    writer.name("score")
    writer.number(relation.score)
    writer.endObject()
  }

  private static func write(_ event: EventRecord, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.name("type")
    writer.string(event.type)
    writer.name("arguments")
    list(event.arguments, to: &writer) { argument, writer in
      writer.beginObject()
      writer.name("role")
      writer.string(argument.label)
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
    writer.name("start")
    writer.integer(span.start)
    writer.name("end")
    writer.integer(span.end)
    if let label {
      writer.name("label")
      writer.string(label)
    }
    writer.name("text")
    writer.string(span.text)
    writer.name("score")
    writer.number(span.score)
    writer.name("probability")
    writer.number(span.probability)
  }
}
