/// Builds HTML. Markup can only be given as literals; all other text is escaped, and only here.
struct HTMLWriter: Sendable {
  private(set) var bytes: [UInt8] = []

  var string: String { String(decoding: bytes, as: UTF8.self) }

  /// Forgets what was written but keeps the memory.
  mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  /// Tags as they stand in the source.
  mutating func markup(_ literal: StaticString) {
    literal.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  /// ` name="value"`, inside a tag.
  mutating func attribute(_ name: StaticString, _ value: String) {
    markup(" ")
    markup(name)
    markup("=\"")
    text(value)
    markup("\"")
  }

  /// Text between tags.
  ///
  /// Control characters, most of which HTML forbids, become their pictures. Line breaks and tabs stay.
  mutating func text(_ text: some StringProtocol) {
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": markup("&amp;")
      case "<": markup("&lt;")
      case ">": markup("&gt;")
      case "\"": markup("&quot;")
      case "'": markup("&#39;")
      case "\n", "\r", "\t": bytes.append(UInt8(truncatingIfNeeded: scalar.value))
      case "\u{0}"..<"\u{20}": append(Unicode.Scalar(0x2400 + scalar.value) ?? "\u{FFFD}")
      case "\u{7F}": append("\u{2421}")
      case "\u{80}"..<"\u{A0}", "\u{FFFE}", "\u{FFFF}": append("\u{FFFD}")
      default: append(scalar)
      }
    }
  }

  private mutating func append(_ scalar: Unicode.Scalar) {
    bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
  }
}

/// The page's colours: twelve hues of one lightness, each for light paper and for dark.
///
/// Chosen in OKLCH, lightness 0.48 and 0.80; a test checks that their contrast is at least 4.5. After twelve labels
/// the colours are used again with dashed, dotted and double lines.
enum PagePalette {
  static let paper: (light: StaticString, dark: StaticString) = ("#ffffff", "#15171c")

  static let colours: [(light: StaticString, dark: StaticString)] = [
    ("#0b58bb", "#96c0fe"), ("#964101", "#fda578"), ("#007132", "#83d494"), ("#8d2f8d", "#e8a2e5"),
    ("#076b6f", "#43d5dc"), ("#a92227", "#ffa098"), ("#6542b3", "#c0b0fe"), ("#596504", "#b7c86b"),
    ("#a52051", "#ff9cb3"), ("#066786", "#5dcdfa"), ("#7a5604", "#e6b55d"), ("#4e5661", "#b8bec8"),
  ]

  /// The classes of the label at a place in ``LabelCounts/entries``.
  static func classes(_ place: Int) -> String {
    let line = place / colours.count % 4
    return "k\(place % colours.count)" + (line > 0 ? " q\(line)" : "")
  }

  /// The rules that those classes follow.
  static func write(to writer: inout HTMLWriter) {
    writer.markup(":root{--paper:")
    writer.markup(paper.light)
    variables(\.light, to: &writer)
    writer.markup("}\n@media screen and (prefers-color-scheme:dark){:root{--paper:")
    writer.markup(paper.dark)
    variables(\.dark, to: &writer)
    writer.markup("}}\n")
    for index in colours.indices {
      writer.markup(".k")
      writer.text("\(index)")
      writer.markup("{--c:var(--c")
      writer.text("\(index)")
      writer.markup(");--line:solid}")
    }
    writer.markup("\n.q1{--line:dashed}.q2{--line:dotted}.q3{--line:double}\n")
  }

  private static func variables(
    _ scheme: KeyPath<(light: StaticString, dark: StaticString), StaticString>, to writer: inout HTMLWriter
  ) {
    for (index, colour) in colours.enumerated() {
      writer.markup(";--c")
      writer.text("\(index)")
      writer.markup(":")
      writer.markup(colour[keyPath: scheme])
    }
  }
}
