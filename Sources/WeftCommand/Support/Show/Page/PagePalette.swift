/// The page's colours: twelve hues of one lightness, each for light paper and for dark.
///
/// Made in OKLCH, lightness 0.48 and 0.80, and held by a test to a contrast of at least 4.5. Beyond twelve labels
/// the colours come again with lines that are dashed, dotted and double.
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
