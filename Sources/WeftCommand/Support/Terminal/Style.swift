/// A colour in both of the forms terminals understand.
struct Colour: Hashable, Sendable {
  /// In the palette of 256.
  var many: UInt8
  /// Among the 16: 30–37 or 90–97.
  var sixteen: UInt8

  static let accent = Colour(many: 37, sixteen: 36)
}

/// How a piece of text looks.
struct Style: Hashable, Sendable {
  var colour: Colour?
  var isBold = false
  var isDim = false

  static let plain = Style()
  static let bold = Style(isBold: true)
  static let dim = Style(isDim: true)

  /// Wraps `text` in the codes for this style, or leaves it alone where there is no colour.
  func apply(to text: String, colours: Terminal.Colours) -> String {
    guard colours != .none, self != .plain, !text.isEmpty else { return text }
    var codes: [String] = []
    if isBold { codes.append("1") }
    if isDim { codes.append("2") }
    if let colour {
      codes.append(colours == .many ? "38;5;\(colour.many)" : "\(colour.sixteen)")
    }
    return "\u{1B}[\(codes.joined(separator: ";"))m\(text)\u{1B}[0m"
  }
}
