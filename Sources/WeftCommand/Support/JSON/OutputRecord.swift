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

/// The lines that `weft extract` writes.
enum OutputRecord {
  /// `{"id":…, …the input's other members…, "entities":[…]}` and a line break.
  static func write(
    _ entities: [EntityRecord], of line: JSONLine, number: Int, to writer: inout JSONWriter
  ) {
    line.write(to: &writer, number: number, replacing: ["entities"]) { writer in
      writer.name("entities")
      writer.beginArray()
      for entity in entities { write(entity, to: &writer) }
      writer.endArray()
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

  private static func write(_ entity: EntityRecord, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.name("start")
    writer.integer(entity.start)
    writer.name("end")
    writer.integer(entity.end)
    writer.name("label")
    writer.string(entity.label)
    writer.name("text")
    writer.string(entity.text)
    writer.name("score")
    writer.number(entity.score)
    writer.name("probability")
    writer.number(entity.probability)
    writer.endObject()
  }
}
