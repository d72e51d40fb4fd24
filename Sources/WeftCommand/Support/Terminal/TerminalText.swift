internal import Foundation
internal import ModelFiles

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

  /// `text` on one line, safe to show, in at most `width` columns; where it is longer, `ellipsis` says so.
  static func fitting(_ text: String, in width: Int, ellipsis: String = "…") -> String {
    let line = visible(text.split(whereSeparator: \.isNewline).joined(separator: " "))
    guard of(line) > width else { return line }
    let end = of(ellipsis) <= width ? ellipsis : ""
    var (kept, columns) = ("", of(end))
    for character in line {
      columns += of(character)
      if columns > width { break }
      kept.append(character)
    }
    while kept.last == " " { kept.removeLast() }
    return kept + end
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

  private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool { scalar.isControl }

  /// East Asian Wide and Fullwidth of Unicode 15, without the emoji, which have a property of their
  /// own. Unassigned code points in between count as wide, as the standard asks.
  private static let wideRanges: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x2329...0x232A, 0x2E80...0x303E, 0x3041...0x3247, 0x3250...0x4DBF,
    0x4E00...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE10...0xFE1F,
    0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x1B2FF, 0x1F200...0x1F265,
    0x20000...0x2FFFD, 0x30000...0x3FFFD,
  ]
}

/// A small table for the terminal: columns as wide as their widest cell, numbers to the right.
struct TextTable: Sendable {
  enum Alignment: Sendable { case left, right }

  struct Column: Sendable {
    var title: String
    var alignment: Alignment

    static func text(_ title: String) -> Column { Column(title: title, alignment: .left) }
    static func number(_ title: String) -> Column { Column(title: title, alignment: .right) }
  }

  private enum Row: Sendable {
    case cells([String])
    case rule
  }

  var columns: [Column]
  /// Whether a line separates the titles from the rows.
  var hasHeaderRule = true
  private var rows: [Row] = []

  init(_ columns: [Column]) { self.columns = columns }

  /// Adds a row; missing cells are empty, cells beyond the last column are dropped.
  mutating func addRow(_ cells: [String]) {
    let visible = cells.prefix(columns.count).map { DisplayWidth.visible($0) }
    rows.append(
      .cells(visible + Array(repeating: "", count: columns.count - visible.count)))
  }

  /// Adds a line across the table, before a sum for example.
  mutating func addRule() { rows.append(.rule) }

  /// The finished lines, each ended by a line break.
  func render(on terminal: Terminal = .none) -> String {
    let widths = columnWidths
    let bar = terminal.isUnicode ? "─" : "-"
    let rule = Style.dim.apply(
      to: widths.map { String(repeating: bar, count: $0) }.joined(separator: "  "),
      colours: terminal.colours)

    let titles = line(columns.map(\.title), widths)
    var lines: [String] = []
    if columns.contains(where: { !$0.title.isEmpty }) {
      lines.append(Style.bold.apply(to: titles, colours: terminal.colours))
      if hasHeaderRule { lines.append(rule) }
    }
    for row in rows {
      switch row {
      case .cells(let cells): lines.append(line(cells, widths))
      case .rule: lines.append(rule)
      }
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private var columnWidths: [Int] {
    columns.indices.map { column in
      rows.reduce(DisplayWidth.of(columns[column].title)) { width, row in
        guard case .cells(let cells) = row else { return width }
        return max(width, DisplayWidth.of(cells[column]))
      }
    }
  }

  private func line(_ cells: [String], _ widths: [Int]) -> String {
    var line = ""
    for (index, cell) in cells.enumerated() {
      if index > 0 { line += "  " }
      line += DisplayWidth.padded(
        cell, to: widths[index], alignedRight: columns[index].alignment == .right)
    }
    while line.last == " " { line.removeLast() }
    return line
  }
}

/// Numbers as people read them; the same in every locale.
enum Quantity {
  /// `1,234,567`
  static func grouped(_ count: Int) -> String {
    let digits = Array(String(count.magnitude))
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0 && (digits.count - index) % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return (count < 0 ? "-" : "") + text
  }

  /// Three significant digits: `0.42`, `7.3`, `312`, `61.2k`, `4.51M`.
  static func short(_ value: Double) -> String {
    guard value.isFinite else { return "–" }
    let magnitude = abs(value)
    if magnitude >= 999.5e6 { return digits(value / 1e9) + "G" }
    if magnitude >= 999.5e3 { return digits(value / 1e6) + "M" }
    if magnitude >= 999.5 { return digits(value / 1e3) + "k" }
    return digits(value)
  }

  /// A score, two decimals; of numbers too large for that, three digits.
  static func score(_ score: Double) -> String { String(format: abs(score) < 1e6 ? "%.2f" : "%.3g", score) }

  /// `0:07`, `12:34`, `1:02:03`, `3 d 4 h`.
  static func clock(seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e9 else { return "–" }
    let total = Int(max(seconds, 0).rounded(.up))
    let (hours, minutes, rest) = (total / 3600, total / 60 % 60, total % 60)
    if hours >= 48 { return "\(hours / 24) d \(hours % 24) h" }
    let tail = (rest < 10 ? "0" : "") + "\(rest)"
    return hours == 0
      ? "\(minutes):\(tail)" : "\(hours):\(minutes < 10 ? "0" : "")\(minutes):\(tail)"
  }

  private static func digits(_ value: Double) -> String {
    let magnitude = abs(value)
    let places = magnitude >= 99.95 || magnitude == 0 ? 0 : magnitude >= 9.995 ? 1 : 2
    return String(format: "%.\(places)f", value)
  }
}
