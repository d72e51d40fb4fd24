/// The text of a Scalable Vector Graphics file, as it grows.
struct SVGDocument {
  /// Where a text lies relative to its point.
  enum Anchor: String {
    case start, middle, end
  }

  /// Fonts that exist nearly everywhere, the reader's own first.
  private static let fonts =
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', Helvetica, Arial, sans-serif"

  private var body: [String] = []

  mutating func rectangle(x: Double, y: Double, width: Double, height: Double, _ colour: RGB) {
    body.append(
      "<rect x=\"\(svg(x))\" y=\"\(svg(y))\" width=\"\(svg(width))\" height=\"\(svg(height))\" "
        + "fill=\"\(colour.css)\"/>")
  }

  mutating func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ colour: RGB, width: Double = 1,
    isDashed: Bool = false
  ) {
    body.append(
      "<line x1=\"\(svg(x1))\" y1=\"\(svg(y1))\" x2=\"\(svg(x2))\" y2=\"\(svg(y2))\" "
        + "stroke=\"\(colour.css)\" stroke-width=\"\(svg(width))\""
        + (isDashed ? " stroke-dasharray=\"3 3\"" : "") + "/>")
  }

  mutating func polyline(
    _ points: [(x: Double, y: Double)], _ colour: RGB, width: Double = 1.8, opacity: Double = 1
  ) {
    let list = points.map { "\(svg($0.x)),\(svg($0.y))" }.joined(separator: " ")
    body.append(
      "<polyline points=\"\(list)\" fill=\"none\" stroke=\"\(colour.css)\" "
        + "stroke-width=\"\(svg(width))\" stroke-linejoin=\"round\" stroke-linecap=\"round\""
        + (opacity < 1 ? " stroke-opacity=\"\(svg(opacity))\"" : "") + "/>")
  }

  /// A disc with a thin white edge, so that neighbours stay apart.
  mutating func dot(x: Double, y: Double, radius: Double = 3.4, _ colour: RGB) {
    body.append(
      "<circle cx=\"\(svg(x))\" cy=\"\(svg(y))\" r=\"\(svg(radius))\" fill=\"\(colour.css)\" "
        + "stroke=\"#ffffff\" stroke-width=\"1\"/>")
  }

  /// Discs of one colour without edges, in one group.
  mutating func discs(_ centres: [(x: Double, y: Double)], radius: Double, _ colour: RGB, opacity: Double) {
    guard !centres.isEmpty else { return }
    body.append("<g fill=\"\(colour.css)\" fill-opacity=\"\(svg(opacity))\">")
    let radius = svg(radius)
    body += centres.map { "<circle cx=\"\(svg($0.x))\" cy=\"\(svg($0.y))\" r=\"\(radius)\"/>" }
    body.append("</g>")
  }

  /// A line of text, not yet escaped; a turned one runs upwards.
  mutating func text(
    _ text: String, x: Double, y: Double, size: Double, _ colour: RGB,
    anchor: Anchor = .start, isBold: Bool = false, isTurned: Bool = false
  ) {
    guard !text.isEmpty else { return }
    body.append(
      "<text x=\"\(svg(x))\" y=\"\(svg(y))\" font-size=\"\(svg(size))\" fill=\"\(colour.css)\" "
        + "text-anchor=\"\(anchor.rawValue)\"" + (isBold ? " font-weight=\"600\"" : "")
        + (isTurned ? " transform=\"rotate(-90 \(svg(x)) \(svg(y)))\"" : "")
        + ">\(text.xmlEscaped)</text>")
  }

  /// The whole file, on white paper.
  func file(width: Double, height: Double, title: String) -> String {
    let size = "\(svg(width)) \(svg(height))"
    let head =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(svg(width))\" height=\"\(svg(height))\" "
      + "viewBox=\"0 0 \(size)\" role=\"img\" font-family=\"\(Self.fonts)\">"
    let paper = "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>"
    let name = title.isEmpty ? [] : ["<title>\(title.xmlEscaped)</title>"]
    return ([head] + name + [paper] + body + ["</svg>", ""]).joined(separator: "\n")
  }
}

extension String {
  /// The text as XML character data or an attribute's value. Characters that XML 1.0 cannot hold,
  /// even escaped, become U+FFFD.
  var xmlEscaped: String {
    var escaped = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      case "\t", "\n", "\r": escaped += " "
      case "\u{0}"..<"\u{20}", "\u{FFFE}", "\u{FFFF}": escaped += "\u{FFFD}"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }

  /// About how wide the text is in a usual font without serifs; only the reader's program knows.
  func estimatedWidth(size: Double) -> Double {
    unicodeScalars.reduce(0) { $0 + ($1.value < 0x2E80 ? 0.58 : 1.0) } * size
  }
}

/// A length or coordinate with at most two decimals, whatever the locale.
func svg(_ value: Double) -> String {
  let hundredths = Int((value * 100).rounded())
  let text = DecimalNumber(mantissa: abs(hundredths), exponent: -2).plain
  let short = text.reversed().drop { $0 == "0" }.drop { $0 == "." }.reversed()
  return (hundredths < 0 ? "-" : "") + String(short)
}
