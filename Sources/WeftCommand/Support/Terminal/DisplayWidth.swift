/// How many terminal columns text takes.
///
/// Counted by grapheme cluster, as current terminals draw: an emoji family or a letter with its
/// accents is one unit, as wide as its widest part.
enum DisplayWidth {
  static func of(_ text: some StringProtocol) -> Int {
    text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
      ? text.utf8.count : text.reduce(0) { $0 + of($1) }
  }

  /// 0, 1 or 2. Control characters count 0; show them through ``visible(_:)``.
  static func of(_ character: Character) -> Int {
    if let ascii = character.asciiValue { return ascii >= 0x20 && ascii < 0x7F ? 1 : 0 }
    let scalars = character.unicodeScalars
    if scalars.contains("\u{FE0F}") { return 2 }  // asks for the emoji form
    if scalars.count == 1, let only = scalars.first, regionalIndicators.contains(only.value) {
      return 1  // half a flag
    }
    return scalars.reduce(0) { max($0, of($1)) }
  }

  static func of(_ scalar: Unicode.Scalar) -> Int {
    if isZeroWidth(scalar) { return 0 }
    if scalar.properties.isEmojiPresentation { return 2 }
    return wideRanges.contains { $0.contains(scalar.value) } ? 2 : 1
  }

  /// What may be sent to a terminal in place of a character: control characters, which could
  /// move the cursor or worse, become their pictures; invisible direction marks vanish.
  static func visible(_ character: Character) -> String {
    if character == "\t" { return " " }
    guard character.unicodeScalars.contains(where: isUnsafe) else { return String(character) }
    var text = ""
    for scalar in character.unicodeScalars {
      switch scalar.value {
      case 0..<0x20: text.unicodeScalars.append(Unicode.Scalar(0x2400 + scalar.value) ?? "\u{FFFD}")
      case 0x7F: text += "\u{2421}"
      case 0x80..<0xA0: text += "\u{FFFD}"
      default: if !isUnsafe(scalar) { text.unicodeScalars.append(scalar) }
      }
    }
    return text
  }

  /// Every character of `text` made safe to show, on one line.
  static func visible(_ text: String) -> String { text.reduce(into: "") { $0 += visible($1) } }

  /// `text` filled up with spaces to `width` columns; longer text stays as it is.
  static func padded(_ text: String, to width: Int, alignedRight: Bool = false) -> String {
    let fill = String(repeating: " ", count: max(width - of(text), 0))
    return alignedRight ? fill + text : text + fill
  }

  // MARK: Tables

  private static let regionalIndicators: ClosedRange<UInt32> = 0x1F1E6...0x1F1FF

  private static func isZeroWidth(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value < 0x300 { return scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value) }
    if (0x1160...0x11FF).contains(scalar.value) { return true }  // Hangul vowels and finals join
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format, .lineSeparator, .paragraphSeparator: return true
    default: return false
    }
  }

  private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
      || (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
      || (0x2028...0x2029).contains(scalar.value)
  }

  /// East Asian Wide and Fullwidth of Unicode 15, but for the emoji, which their own property
  /// gives. Unassigned places in between count as wide, as the standard asks.
  private static let wideRanges: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x2329...0x232A, 0x2E80...0x303E, 0x3041...0x3247, 0x3250...0x4DBF,
    0x4E00...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE10...0xFE1F,
    0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x1B2FF, 0x1F200...0x1F265,
    0x20000...0x2FFFD, 0x30000...0x3FFFD,
  ]
}
