import Foundation

/// What BERT's normalisation and word splitting ask about one Unicode scalar.
///
/// Tokens must equal those of Hugging Face's tokenizers (checked for every scalar against release
/// 0.22.1), and that library's parts know different versions of Unicode: general categories as of
/// 8, normalisation as of 9, lower case and regular expressions as of 16. A scalar assigned later is
/// unassigned to the part concerned, and so it is here, however new this system's data are.
struct ScalarTraits: OptionSet, Sendable {
  let rawValue: UInt8

  /// Removed by cleaning: NUL, U+FFFD and the categories Cc, Cf and Co, but not tab, line feed and
  /// carriage return. Unassigned scalars stay.
  static let control = ScalarTraits(rawValue: 1)
  /// Unicode's White_Space property.
  static let whiteSpace = ScalarTraits(rawValue: 2)
  /// ASCII punctuation in C's sense (so with `$+<=>^|~` and the back-quote) or a category P….
  static let punctuation = ScalarTraits(rawValue: 4)
  /// Category Mn: what stripping accents drops.
  static let nonspacingMark = ScalarTraits(rawValue: 8)
  /// A canonical combining class other than 0.
  static let reorders = ScalarTraits(rawValue: 16)
  /// Has a canonical decomposition.
  static let decomposes = ScalarTraits(rawValue: 32)
  /// Has a lower case other than itself.
  static let lowercases = ScalarTraits(rawValue: 64)

  init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Looks the traits up in the standard library's Unicode data, which takes some 100 ns.
  init(of scalar: Unicode.Scalar, decomposes: Bool) {
    self = []
    let properties = scalar.properties
    if properties.isWhitespace { insert(.whiteSpace) }
    if decomposes { insert(.decomposes) }
    let age = properties.age?.major ?? .max
    if age <= 16, properties.changesWhenLowercased { insert(.lowercases) }
    if age <= 9, properties.canonicalCombiningClass != .notReordered { insert(.reorders) }
    if age <= 8 { insertCategory(properties.generalCategory) }
    correct(scalar)
    if scalar.isASCII, Self.asciiPunctuation.contains(scalar.value) { insert(.punctuation) }
  }

  private mutating func insertCategory(_ category: Unicode.GeneralCategory) {
    switch category {
    case .control, .format, .privateUse: insert(.control)
    case .nonspacingMark: insert(.nonspacingMark)
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
      .initialPunctuation, .finalPunctuation, .otherPunctuation:
      insert(.punctuation)
    default: break
    }
  }

  /// Exceptions: tab and its kin, which count as space; U+FFFD, which counts as control; and the
  /// eight old scalars whose category has changed since Unicode 8.
  private mutating func correct(_ scalar: Unicode.Scalar) {
    switch scalar.value {
    case 0x09, 0x0A, 0x0D: remove(.control)
    case 0xFFFD: insert(.control)
    case 0x166D: insert(.punctuation)
    case 0x1734, 0x1171E: insert(.nonspacingMark)
    case 0x1885, 0x1886, 0xA9BD: remove(.nonspacingMark)
    case 0x111C9:
      remove(.nonspacingMark)
      insert(.punctuation)
    default: break
    }
  }

  private static let asciiPunctuation = Set(
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~".unicodeScalars.map(\.value))
}

/// Traits of every scalar: a table for the first plane, where text lives, and computed elsewhere.
struct ScalarTraitsTable: Sendable {
  /// Shared by all tokenizers; made at first use, in a few milliseconds.
  static let shared = ScalarTraitsTable()

  private let firstPlane: [UInt8]
  private let decompositions: CanonicalDecompositions

  private init() {
    let decompositions = CanonicalDecompositions.shared
    self.decompositions = decompositions
    firstPlane = (UInt32(0)..<0x10000).map { value in
      switch value {
      case 0x3400..<0x4DB6, 0x4E00..<0x9FD6: return 0  // ideographs, a third of the plane
      case CanonicalDecompositions.hangulSyllables: return ScalarTraits.decomposes.rawValue
      case 0xE000..<0xF900: return ScalarTraits.control.rawValue  // private use
      default:
        guard let scalar = Unicode.Scalar(value) else { return 0 }
        return ScalarTraits(of: scalar, decomposes: decompositions.contains(scalar)).rawValue
      }
    }
  }

  /// The traits of a scalar.
  @inline(__always)
  subscript(scalar: Unicode.Scalar) -> ScalarTraits {
    scalar.value < 0x10000
      ? ScalarTraits(rawValue: firstPlane[Int(scalar.value)]) : computed(scalar)
  }

  @inline(never)
  private func computed(_ scalar: Unicode.Scalar) -> ScalarTraits {
    ScalarTraits(of: scalar, decomposes: decompositions.contains(scalar))
  }
}

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
