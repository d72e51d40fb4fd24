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
