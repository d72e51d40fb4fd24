import Foundation

/// Full canonical decompositions (the mapping behind NFD, without its reordering) of single
/// scalars, as of Unicode 9; see `ScalarTraits` for the version.
struct CanonicalDecompositions: Sendable {
  /// Shared by all tokenizers; made at first use, in a few milliseconds.
  static let shared = CanonicalDecompositions()

  /// Hangul syllables decompose by arithmetic instead of a table.
  static let hangulSyllables: Range<UInt32> = 0xAC00..<0xD7A4

  private let ranges: [UInt32: Range<Int>]
  private let scalars: [Unicode.Scalar]

  private init() {
    // The blocks that hold decomposable scalars. One call for all of them, each followed by a
    // line feed (which decomposes to itself and stops reordering), is much faster than one each.
    let blocks: [Range<UInt32>] = [
      0xC0..<0x3400, 0xA000..<0xAC00, 0xF900..<0xFFFE, 0x11000..<0x12000, 0x1D100..<0x1D200,
      0x2F800..<0x2FA20,
    ]
    let candidates = blocks.joined().compactMap(Unicode.Scalar.init)
    var text = String.UnicodeScalarView()
    for scalar in candidates {
      text.append(scalar)
      text.append("\n")
    }
    let decomposed = String(text).decomposedStringWithCanonicalMapping.unicodeScalars

    var ranges: [UInt32: Range<Int>] = [:]
    var scalars: [Unicode.Scalar] = []
    for (scalar, parts) in zip(candidates, decomposed.split(separator: "\n")) {
      guard !parts.elementsEqual(CollectionOfOne(scalar)),
        let age = scalar.properties.age, age.major <= 9
      else { continue }
      ranges[scalar.value] = scalars.count..<scalars.count + parts.count
      scalars += parts
    }
    self.ranges = ranges
    self.scalars = scalars
  }

  /// Whether the scalar decomposes.
  func contains(_ scalar: Unicode.Scalar) -> Bool {
    Self.hangulSyllables.contains(scalar.value) || ranges[scalar.value] != nil
  }

  /// Replaces the content of `parts` by the decomposition of a scalar, which is the scalar itself
  /// if it has none.
  func decompose(_ scalar: Unicode.Scalar, into parts: inout [Unicode.Scalar]) {
    parts.removeAll(keepingCapacity: true)
    if let range = ranges[scalar.value] {
      parts.append(contentsOf: scalars[range])
    } else if Self.hangulSyllables.contains(scalar.value) {
      // Unicode's section 3.12: leading consonant, vowel and, if any, trailing consonant.
      let index = scalar.value - Self.hangulSyllables.lowerBound
      let jamo = [0x1100 + index / 588, 0x1161 + index % 588 / 28, 0x11A7 + index % 28]
      parts.append(contentsOf: jamo.prefix(index % 28 == 0 ? 2 : 3).compactMap(Unicode.Scalar.init))
    } else {
      parts.append(scalar)
    }
  }
}
