/// A colour of sRGB, eight bits a channel.
package struct RGB: Hashable, Sendable {
  /// The channels.
  package var red, green, blue: UInt8

  /// A colour written like `0x1F77B4`; bits above the lower 24 are ignored.
  package init(_ hexadecimal: UInt32) {
    red = UInt8(truncatingIfNeeded: hexadecimal >> 16)
    green = UInt8(truncatingIfNeeded: hexadecimal >> 8)
    blue = UInt8(truncatingIfNeeded: hexadecimal)
  }

  /// As a style sheet writes it: `#1f77b4`.
  var css: String {
    "#"
      + [red, green, blue].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

extension RGB {
  /// White paper.
  package static let white = RGB(0xFFFFFF)
  /// Text and axes.
  package static let ink = RGB(0x2B2F36)
  /// Secondary text, ticks.
  package static let faded = RGB(0x7A808A)
  /// Grid lines.
  package static let pale = RGB(0xE8EAED)
  /// What lies behind: the true data.
  package static let background = RGB(0xB4B9C1)
  /// First colour for what matters.
  package static let blue = RGB(0x1A6FC4)
  /// Second colour.
  package static let orange = RGB(0xD9660B)
  /// Third colour.
  package static let green = RGB(0x2A8C4A)
  /// Fourth colour.
  package static let purple = RGB(0x8250C4)
  /// What is not a number: a colour that no greyscale picture contains.
  package static let alarm = RGB(0xFF00C8)
}
