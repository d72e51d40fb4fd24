/// A token that is found in the text as a whole, before words are split, such as `[MASK]`.
struct AddedToken: Sendable {
  /// The text to find.
  var content: String
  /// The token's id.
  var id: Int32
  /// Whether it is one of the tokens with a role; these come first among equals.
  var isSpecial = true
  /// Whether it must not touch another word character.
  var isSingleWord = false
  /// Whether it takes the white space before it.
  var stripsLeft = false
  /// Whether it takes the white space after it.
  var stripsRight = false
  /// Whether it is searched for in normalised text, itself normalised.
  var isNormalized = false
}

/// Finds added tokens in text: leftmost first, and the longest of those that begin at one place.
struct AddedTokenMatcher: Sendable {
  /// A part of a text: an added token if `id` is there, else what lies between.
  struct Part: Equatable {
    let range: Range<Int>
    let id: Int32?
  }

  private struct Pattern {
    let bytes: [UInt8]
    let token: AddedToken
  }

  /// The patterns by their first byte, longest first; patterns of equal length keep their order.
  private var patterns: [[Pattern]] = Array(repeating: [], count: 256)
  private let traits = ScalarTraitsTable.shared

  /// Whether there is anything to find.
  private(set) var isEmpty = true

  /// - Parameter tokens: What to find; of equal patterns the first counts. `content` is not empty.
  init(_ tokens: [AddedToken]) {
    for token in tokens {
      let bytes = Array(token.content.utf8)
      guard let first = bytes.first else { continue }
      isEmpty = false
      let bucket = patterns[Int(first)]
      let place = bucket.firstIndex { $0.bytes.count < bytes.count } ?? bucket.count
      patterns[Int(first)].insert(Pattern(bytes: bytes, token: token), at: place)
    }
  }

  /// Splits a part of a text at the added tokens in it.
  /// - Parameters:
  ///   - bytes: Valid UTF-8.
  ///   - range: The part of it to search, which counts as a text of its own.
  /// - Returns: Parts that cover `range` in order. They overlap where a token took the white space
  ///   after it and another begins with that white space, as in the reference library.
  func split(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> [Part] {
    guard !isEmpty else { return [Part(range: range, id: nil)] }
    var parts: [Part] = []
    var covered = range.lowerBound
    var index = range.lowerBound
    while index < range.upperBound {
      guard let pattern = pattern(bytes, index..<range.upperBound) else {
        index += 1
        continue
      }
      var start = index
      var end = index + pattern.bytes.count
      index = end  // a match that is refused below is passed over too
      let token = pattern.token
      if token.isSingleWord, touchesWord(bytes, start..<end, within: range) { continue }
      if token.stripsLeft {
        start = max(covered, spaceStart(bytes, before: start, limit: range.lowerBound))
      }
      if token.stripsRight { end = spaceEnd(bytes, after: end, limit: range.upperBound) }
      if covered < start { parts.append(Part(range: covered..<start, id: nil)) }
      if start < end { parts.append(Part(range: start..<end, id: token.id)) }
      covered = end
    }
    if covered < range.upperBound {
      parts.append(Part(range: covered..<range.upperBound, id: nil))
    }
    return parts
  }

  /// The longest pattern at the beginning of `range`.
  @inline(__always)
  private func pattern(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Pattern? {
    let bucket = patterns[Int(bytes[range.lowerBound])]
    guard !bucket.isEmpty else { return nil }
    return bucket.first { bytes[range].starts(with: $0.bytes) }
  }

  private func touchesWord(
    _ bytes: UnsafeBufferPointer<UInt8>, _ match: Range<Int>, within range: Range<Int>
  ) -> Bool {
    if match.lowerBound > range.lowerBound,
      isWordCharacter(decodeScalar(bytes, before: match.lowerBound).scalar)
    {
      return true
    }
    return match.upperBound < range.upperBound
      && isWordCharacter(decodeScalar(bytes, at: match.upperBound).scalar)
  }

  private func spaceStart(
    _ bytes: UnsafeBufferPointer<UInt8>, before end: Int, limit: Int
  ) -> Int {
    var start = end
    while start > limit {
      let previous = decodeScalar(bytes, before: start)
      guard traits[previous.scalar].contains(.whiteSpace) else { break }
      start = previous.start
    }
    return start
  }

  private func spaceEnd(_ bytes: UnsafeBufferPointer<UInt8>, after start: Int, limit: Int) -> Int {
    var end = start
    while end < limit {
      let next = decodeScalar(bytes, at: end)
      guard traits[next.scalar].contains(.whiteSpace) else { break }
      end += next.length
    }
    return end
  }
}

/// `\w` of Unicode's regular expressions (UTS 18, annex C), as of Unicode 16; see `ScalarTraits`.
private func isWordCharacter(_ scalar: Unicode.Scalar) -> Bool {
  let properties = scalar.properties
  guard let age = properties.age, age.major <= 16 else { return false }
  if properties.isAlphabetic || properties.isJoinControl { return true }
  return switch properties.generalCategory {
  case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: true
  default: false
  }
}
