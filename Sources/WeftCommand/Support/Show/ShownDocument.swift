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

/// What "start" and "end" count, as numbers of code points.
///
/// The places of all code points are found once, so that thousands of spans do not each walk the text.
struct TextOffsets {
  private let text: String
  private let unit: OffsetUnit
  /// Where every code point begins, and the end.
  private let places: [String.Index]

  init(_ text: String, unit: OffsetUnit) {
    self.text = text
    self.unit = unit
    places = Array(text.unicodeScalars.indices) + [text.endIndex]
  }

  /// The code points between two offsets, end-exclusive.
  /// - Throws: if they are empty, outside the text, or cut a character in two.
  func codePoints(from start: Int, to end: Int) throws(LineFailure) -> Range<Int> {
    guard 0 <= start, start < end, end <= length else {
      throw LineFailure(message: "a span from \(start) to \(end) does not lie in a text of \(length) \(unitName)")
    }
    guard let first = codePoint(at: start), let last = codePoint(at: end) else {
      throw LineFailure(
        message: "a span from \(start) to \(end) cuts a character in two: do the offsets count something else? "
          + "See --offsets")
    }
    return first..<last
  }

  /// The text of some code points.
  subscript(range: Range<Int>) -> String {
    String(text.unicodeScalars[places[range.lowerBound]..<places[range.upperBound]])
  }

  // MARK: Parts

  private var length: Int {
    switch unit {
    case .codepoint: places.count - 1
    case .utf16: text.utf16.count
    case .utf8: text.utf8.count
    }
  }

  private var unitName: String {
    switch unit {
    case .codepoint: "code points"
    case .utf16: "UTF-16 units"
    case .utf8: "bytes"
    }
  }

  /// - Returns: nil inside a code point.
  private func codePoint(at offset: Int) -> Int? {
    let place: String.Index
    switch unit {
    case .codepoint: return offset
    case .utf16: place = text.utf16.index(text.startIndex, offsetBy: offset)
    case .utf8: place = text.utf8.index(text.startIndex, offsetBy: offset)
    }
    var (low, high) = (0, places.count)
    while low < high {
      let middle = (low + high) / 2
      if places[middle] < place { low = middle + 1 } else { high = middle }
    }
    return low < places.count && places[low] == place ? low : nil
  }
}
