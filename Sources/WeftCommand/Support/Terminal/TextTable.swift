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
