/// What BERT's normalisation does to a text, in the order in which it does it.
struct NormalizerOptions: Hashable, Sendable {
  /// Drops control characters and turns all white space into spaces.
  var cleansText = true
  /// Puts a space on either side of each ideograph, so that it becomes a word.
  var separatesIdeographs = true
  /// Decomposes (NFD) and drops nonspacing marks.
  var stripsAccents = true
  /// Lowers the case, scalar by scalar and in full: "İ" becomes "i" and U+0307.
  var lowercases = true
}

/// BERT's text normalisation.
struct BertNormalizer: Sendable {
  fileprivate let options: NormalizerOptions
  fileprivate let traits = ScalarTraitsTable.shared
  fileprivate let decompositions = CanonicalDecompositions.shared
  fileprivate let ascii: AsciiMap

  /// Prepares the tables for these options.
  init(_ options: NormalizerOptions) {
    self.options = options
    ascii = AsciiMap(options)
  }

  /// Normalises a part of a text.
  /// - Parameters:
  ///   - bytes: Valid UTF-8.
  ///   - range: The part, on scalar boundaries.
  ///   - firstScalar: The index of its first scalar in the whole text.
  ///   - output: Receives the result in place of what it held.
  func normalize(
    _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, firstScalar: Int,
    into output: inout NormalizedText
  ) {
    // Ideographs grow from three bytes to five.
    output.reset(byteCount: range.count + range.count / 8)
    var pass = NormalizationPass(self, output: output)
    output = NormalizedText()  // the pass holds the only reference now
    var origin = Int32(truncatingIfNeeded: firstScalar)
    var index = range.lowerBound
    while index < range.upperBound {
      if bytes[index] < 0x80 {
        pass.add(ascii: bytes[index], origin)
        index += 1
      } else {
        let (scalar, length) = decodeScalar(bytes, at: index)
        pass.add(scalar, origin)
        index += length
      }
      origin &+= 1
    }
    output = pass.finish()
  }
}

/// One run of the normaliser over one piece of text.
private struct NormalizationPass {
  private let options: NormalizerOptions
  private let traits: ScalarTraitsTable
  private let decompositions: CanonicalDecompositions
  private let ascii: AsciiMap
  private var output: NormalizedText
  private var marks = MarkRun()
  private var parts: [Unicode.Scalar] = []

  init(_ normalizer: BertNormalizer, output: NormalizedText) {
    options = normalizer.options
    traits = normalizer.traits
    decompositions = normalizer.decompositions
    ascii = normalizer.ascii
    self.output = output
  }

  mutating func finish() -> NormalizedText {
    flushMarks()
    return output
  }

  /// ASCII decomposes to itself and never reorders: one look-up does it all.
  @inline(__always)
  mutating func add(ascii byte: UInt8, _ origin: Int32) {
    let mapped = ascii[byte]
    guard mapped != AsciiMap.dropped else { return }
    if !marks.isEmpty { flushMarks() }
    output.append(ascii: mapped, origin: origin)
  }

  mutating func add(_ scalar: Unicode.Scalar, _ origin: Int32) {
    let traits = traits[scalar]
    if options.cleansText {
      if traits.contains(.control) { return }
      if traits.contains(.whiteSpace) {
        add(ascii: UInt8(ascii: " "), origin)
        return
      }
    }
    guard options.separatesIdeographs, isIdeograph(scalar) else {
      decompose(scalar, traits, origin)
      return
    }
    add(ascii: UInt8(ascii: " "), origin)
    decompose(scalar, traits, origin)
    add(ascii: UInt8(ascii: " "), origin)
  }

  @inline(__always)
  private mutating func decompose(
    _ scalar: Unicode.Scalar, _ traits: ScalarTraits, _ origin: Int32
  ) {
    guard options.stripsAccents,
      !traits.isDisjoint(with: [.decomposes, .reorders, .nonspacingMark])
    else {
      if !marks.isEmpty { flushMarks() }
      lower(scalar, traits, origin)
      return
    }
    decompositions.decompose(scalar, into: &parts)
    for (place, part) in parts.enumerated() {
      let traits = self.traits[part]
      if traits.contains(.reorders) {
        marks.append(part, traits, isFirst: place == 0, origin: origin)
      } else {
        flushMarks()
        if !traits.contains(.nonspacingMark) { lower(part, traits, origin) }
      }
    }
  }

  private mutating func flushMarks() {
    guard !marks.isEmpty else { return }
    for (scalar, traits, origin) in marks.kept() { lower(scalar, traits, origin) }
    marks.removeAll()
  }

  @inline(__always)
  private mutating func lower(
    _ scalar: Unicode.Scalar, _ traits: ScalarTraits, _ origin: Int32
  ) {
    if options.lowercases, traits.contains(.lowercases) {
      for lower in scalar.properties.lowercaseMapping.unicodeScalars {
        output.append(lower, origin: origin)
      }
    } else {
      output.append(scalar, origin: origin)
    }
  }
}

/// What becomes of each ASCII character.
private struct AsciiMap: Sendable {
  /// Marks a character that is removed; no ASCII byte has this value.
  static let dropped: UInt8 = 0xFF

  private let map: [UInt8]

  init(_ options: NormalizerOptions) {
    map = (UInt8(0)..<0x80).map { byte in
      let traits = ScalarTraitsTable.shared[Unicode.Scalar(byte)]
      if options.cleansText, traits.contains(.control) { return Self.dropped }
      if options.cleansText, traits.contains(.whiteSpace) { return UInt8(ascii: " ") }
      return options.lowercases && traits.contains(.lowercases) ? byte | 0x20 : byte
    }
  }

  @inline(__always)
  subscript(byte: UInt8) -> UInt8 { map[Int(byte)] }
}

/// The ranges that BERT calls Chinese: ideographs, but neither kana nor Hangul.
@inline(__always)
private func isIdeograph(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0xF900...0xFAFF, 0x20000...0x2A6DF, 0x2A700...0x2B81F,
    0x2B920...0x2CEAF, 0x2F800...0x2FA1F:
    true
  default: false
  }
}

/// Text after normalisation, with the way back to the original.
///
/// Each normalised scalar stands for exactly one scalar of the original: kept and replaced scalars
/// for themselves, the parts of an expansion for what they were made from.
struct NormalizedText {
  /// The text as UTF-8.
  private(set) var bytes: [UInt8] = []
  /// For each byte, the index of its original scalar, counted from the start of the whole text.
  private(set) var origins: [Int32] = []

  /// Empties the text but keeps its memory, for `byteCount` bytes or more.
  mutating func reset(byteCount: Int) {
    bytes.removeAll(keepingCapacity: true)
    origins.removeAll(keepingCapacity: true)
    bytes.reserveCapacity(byteCount)
    origins.reserveCapacity(byteCount)
  }

  /// Adds an ASCII character.
  @inline(__always)
  mutating func append(ascii byte: UInt8, origin: Int32) {
    bytes.append(byte)
    origins.append(origin)
  }

  /// Adds a scalar.
  @inline(__always)
  mutating func append(_ scalar: Unicode.Scalar, origin: Int32) {
    for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
      append(ascii: byte, origin: origin)
    }
  }

  /// Finds the original of a part of the text.
  /// - Parameter range: A range of bytes, not empty.
  /// - Returns: The original scalars that the part stands for.
  @inline(__always)
  func origin(of range: Range<Int>) -> Range<Int> {
    Int(origins[range.lowerBound])..<Int(origins[range.upperBound - 1]) + 1
  }
}

/// The scalar that begins at a byte of valid UTF-8, and its length in bytes.
@inline(__always)
func decodeScalar(
  _ bytes: UnsafeBufferPointer<UInt8>, at index: Int
) -> (scalar: Unicode.Scalar, length: Int) {
  func tail(_ offset: Int) -> UInt32 { UInt32(bytes[index + offset] & 0x3F) }
  let lead = UInt32(bytes[index])
  let value: UInt32
  let length: Int
  switch lead {
  case ..<0x80: (value, length) = (lead, 1)
  case ..<0xE0: (value, length) = ((lead & 0x1F) << 6 | tail(1), 2)
  case ..<0xF0: (value, length) = ((lead & 0x0F) << 12 | tail(1) << 6 | tail(2), 3)
  default:
    (value, length) = ((lead & 0x07) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3), 4)
  }
  return (Unicode.Scalar(value) ?? "\u{FFFD}", length)
}

/// The scalar that ends before a byte of valid UTF-8, and where it begins.
func decodeScalar(
  _ bytes: UnsafeBufferPointer<UInt8>, before end: Int
) -> (scalar: Unicode.Scalar, start: Int) {
  var start = end - 1
  while start > 0, bytes[start] & 0xC0 == 0x80 { start -= 1 }
  return (decodeScalar(bytes, at: start).scalar, start)
}

/// The number of scalars in a part of valid UTF-8.
func scalarCount(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Int {
  var count = 0
  for index in range where bytes[index] & 0xC0 != 0x80 { count += 1 }
  return count
}

/// A run of scalars with a combining class other than 0, waiting to be put into canonical order.
///
/// Nearly all of them are nonspacing marks and will be dropped. The few that stay (some vowel
/// signs and tone marks) make the order matter, and with it a peculiarity of the reference
/// library: origins are dealt out by position *after* reordering, so a mark that moves forward
/// takes the place of the one it passed.
struct MarkRun {
  private struct Mark {
    let scalar: Unicode.Scalar
    let traits: ScalarTraits
    /// Whether it is the first part of what its original scalar decomposed to.
    let isFirst: Bool
  }

  private var marks: [Mark] = []
  private var origins: [Int32] = []
  private var previousOrigin: Int32 = 0
  private var keepsAny = false

  var isEmpty: Bool { marks.isEmpty }

  /// Adds the next scalar of the run.
  /// - Parameters:
  ///   - scalar: A scalar with a combining class other than 0.
  ///   - traits: Its traits.
  ///   - isFirst: Whether it is the first part of its original scalar's decomposition.
  ///   - origin: The index of the original scalar.
  mutating func append(
    _ scalar: Unicode.Scalar, _ traits: ScalarTraits, isFirst: Bool, origin: Int32
  ) {
    if marks.isEmpty { previousOrigin = origin }
    marks.append(Mark(scalar: scalar, traits: traits, isFirst: isFirst))
    if isFirst { origins.append(origin) }
    if !traits.contains(.nonspacingMark) { keepsAny = true }
  }

  /// What stays of the run, in canonical order, with the original scalars it stands for.
  func kept() -> [(scalar: Unicode.Scalar, traits: ScalarTraits, origin: Int32)] {
    guard keepsAny else { return [] }
    let order = marks.indices.sorted {  // stable, by the second member
      (combiningClass(marks[$0]), $0) < (combiningClass(marks[$1]), $1)
    }
    var kept: [(Unicode.Scalar, ScalarTraits, Int32)] = []
    var unused = origins[...]
    var origin = previousOrigin
    for mark in order.map({ marks[$0] }) {
      if mark.isFirst { origin = unused.popFirst() ?? origin }
      if !mark.traits.contains(.nonspacingMark) { kept.append((mark.scalar, mark.traits, origin)) }
    }
    return kept
  }

  /// Empties the run but keeps its memory.
  mutating func removeAll() {
    marks.removeAll(keepingCapacity: true)
    origins.removeAll(keepingCapacity: true)
    keepsAny = false
  }

  private func combiningClass(_ mark: Mark) -> UInt8 {
    mark.scalar.properties.canonicalCombiningClass.rawValue
  }
}
