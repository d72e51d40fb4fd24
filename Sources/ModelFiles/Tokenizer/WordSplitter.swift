/// BERT's splitting of normalised text into words: white space separates, and each punctuation
/// character is a word.
struct WordSplitter: Sendable {
  private enum Kind {
    case letter, space, punctuation
  }

  private let traits = ScalarTraitsTable.shared
  private let ascii: [Kind]

  init() {
    ascii = (UInt8(0)..<0x80).map { Self.kind(ScalarTraitsTable.shared[Unicode.Scalar($0)]) }
  }

  private static func kind(_ traits: ScalarTraits) -> Kind {
    traits.contains(.whiteSpace)
      ? .space : traits.contains(.punctuation) ? .punctuation : .letter
  }

  /// Calls `body` with each word in turn.
  /// - Parameters:
  ///   - bytes: Valid UTF-8.
  ///   - range: The part to split, on scalar boundaries.
  ///   - body: Receives the range of a word, never empty.
  @inline(__always)
  func forEachWord(
    _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ body: (Range<Int>) -> Void
  ) {
    var start = range.lowerBound
    var index = start
    while index < range.upperBound {
      let kind: Kind
      let length: Int
      if bytes[index] < 0x80 {
        (kind, length) = (ascii[Int(bytes[index])], 1)
      } else {
        let decoded = decodeScalar(bytes, at: index)
        (kind, length) = (Self.kind(traits[decoded.scalar]), decoded.length)
      }
      let end = index + length
      if kind != .letter {
        if start < index { body(start..<index) }
        if kind == .punctuation { body(index..<end) }
        start = end
      }
      index = end
    }
    if start < index { body(start..<index) }
  }
}
