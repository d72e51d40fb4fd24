/// A text with what was found in it, read for showing. Ranges count code points.
struct ShownDocument: Equatable, Sendable {
  struct Entity: Equatable, Sendable {
    var range: Range<Int>
    var label: String
    var score: Double?
    var probability: Double?
  }

  /// One end of a relation.
  struct Argument: Equatable, Sendable {
    var range: Range<Int>
    /// Models that find relations alone give none.
    var label: String?
    var text: String
  }

  struct Relation: Equatable, Sendable {
    var subject: Argument
    var predicate: String
    var object: Argument
    var score: Double?
  }

  /// What plays a part in an event.
  struct Role: Equatable, Sendable {
    static let trigger = "trigger"

    var role: String
    var range: Range<Int>
    var text: String
    var score: Double?
  }

  struct Event: Equatable, Sendable {
    var type: String
    /// The trigger first, and what plays one role together.
    var arguments: [Role]
    var score: Double?
  }

  /// The line's "id"; nil where it has none.
  var id: String?
  /// Counted from 1 through all inputs.
  var line: Int
  var text: String
  var entities: [Entity] = []
  var relations: [Relation] = []
  var events: [Event] = []
  /// Whether a cap kept the extraction from looking at every candidate.
  var isTruncated = false
  /// A span whose own "text" is not what stands at its offsets: both, for a message.
  var mismatch: (stated: String, found: String)?

  /// What the document is called.
  var name: String { id ?? "line \(line)" }

  static func == (left: Self, right: Self) -> Bool {
    (left.id, left.line, left.text, left.isTruncated) == (right.id, right.line, right.text, right.isTruncated)
      && (left.entities, left.relations, left.events) == (right.entities, right.relations, right.events)
  }
}

/// One line of input as it is shown.
enum ShownLine: Sendable {
  case document(ShownDocument)
  /// `{"line": N, "error": "…"}`: a line that failed in an earlier run.
  case failure(line: Int, message: String)
}
