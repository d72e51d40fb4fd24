/// A text as the units a terminal draws, with the spans counted in those units.
///
/// Grapheme clusters are never cut: a span that ends inside one covers all of it.
struct TextCells: Sendable {
  struct Cell: Sendable {
    /// What is drawn; safe to send to a terminal.
    var text: String
    var width: Int
    var isSpace = false
    var isLineBreak = false
    /// Whether a line may end behind this cell.
    var allowsBreak = false
  }

  private(set) var cells: [Cell] = []
  /// The spans that are not empty, in cells; outer before inner, then by start.
  let spans: [LabelledSpan]

  init(_ text: String, spans: [LabelledSpan]) {
    var cellOfScalar: [Int] = []
    for character in text {
      for _ in character.unicodeScalars { cellOfScalar.append(cells.count) }
      cells.append(Self.cell(character))
    }
    for index in cells.indices.dropLast() where cells[index + 1].width == 2 {
      cells[index].allowsBreak = true  // ideographs may start a line
    }

    let inCells: [LabelledSpan] = spans.compactMap { span in
      let start = max(span.start, 0)
      let end = min(span.end, cellOfScalar.count)
      guard start < end else { return nil }
      return LabelledSpan(
        start: cellOfScalar[start], end: cellOfScalar[end - 1] + 1, label: span.label)
    }
    self.spans = inCells.sorted { left, right in
      (left.start, -left.end, left.label) < (right.start, -right.end, right.label)
    }
  }

  private static func cell(_ character: Character) -> Cell {
    if character.isNewline { return Cell(text: "", width: 0, isSpace: true, isLineBreak: true) }
    let text = DisplayWidth.visible(character)
    let width = DisplayWidth.of(text)
    let isSpace = text == " " || text == "\u{3000}"
    let breaks = isSpace || width == 2 || text == "-" || text == "–" || text == "—"
    return Cell(text: text, width: width, isSpace: isSpace, allowsBreak: breaks)
  }

  /// Cuts the cells into lines of at most `columns`, between words where that is possible. Spaces
  /// at the end of a line do not count and are not part of it.
  func lines(columns: Int) -> [Range<Int>] {
    var lines: [Range<Int>] = []
    var start = 0
    var width = 0
    var lastBreak: Int?  // the first cell behind the last place to break
    var index = 0

    func finish(at end: Int, continuingAt next: Int) {
      var trimmed = end
      while trimmed > start, cells[trimmed - 1].isSpace { trimmed -= 1 }
      lines.append(start..<trimmed)
      (start, width, lastBreak, index) = (next, 0, nil, next)
    }

    while index < cells.count {
      let cell = cells[index]
      if cell.isLineBreak {
        finish(at: index, continuingAt: index + 1)
      } else if !cell.isSpace, width + cell.width > columns, index > start {
        let end = lastBreak ?? index
        finish(at: end, continuingAt: end)
      } else {
        width += cell.width
        index += 1
        if cell.allowsBreak { lastBreak = index }
      }
    }
    if start < cells.count || lines.isEmpty { finish(at: cells.count, continuingAt: cells.count) }
    return lines
  }
}
