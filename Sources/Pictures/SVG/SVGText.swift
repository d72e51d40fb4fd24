internal import Foundation

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
