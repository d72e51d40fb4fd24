/// What "start" and "end" count, as numbers of code points.
///
/// The places of all code points are found once, so that a text with thousands of spans is not walked for each.
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
