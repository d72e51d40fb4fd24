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

/// A labelled stretch of a text, in code points, end-exclusive.
struct LabelledSpan: Hashable, Sendable {
  var start: Int
  var end: Int
  var label: String

  /// Whether the two overlap without one holding the other.
  func crosses(_ other: LabelledSpan) -> Bool {
    (start < other.start && other.start < end && end < other.end)
      || (other.start < start && start < other.end && other.end < end)
  }
}

/// Places the bars of one line's spans in lanes below it: inner spans nearest to the text, and
/// nothing in one another's way.
struct SpanLanes: Sendable {
  /// One span's bar on one line, in columns from the line's start.
  struct Bar: Equatable, Sendable {
    var columns: Range<Int>
    var label: String
    /// The text of the bar; may be wider than `columns` where the label needs the room.
    var head: String
    var name: String
    var tail: String
    /// Where the text begins.
    var textColumn: Int

    var text: String { head + name + tail }
    var textColumns: Range<Int> { textColumn..<(textColumn + DisplayWidth.of(text)) }
  }

  /// The first lane is the one below the text.
  private(set) var lanes: [[Bar]] = []

  /// Labels are kept inside the terminal's `width`, in columns.
  init(_ cells: TextCells, line: Range<Int>, width: Int) {
    var columnOfCell: [Int] = [0]
    for cell in cells.cells[line] {
      columnOfCell.append((columnOfCell.last ?? 0) + cell.width)
    }

    var bars: [Bar] = []
    for span in cells.spans where span.start < line.upperBound && span.end > line.lowerBound {
      let start = columnOfCell[max(span.start, line.lowerBound) - line.lowerBound]
      let end = columnOfCell[min(span.end, line.upperBound) - line.lowerBound]
      guard start < end else { continue }
      bars.append(
        Self.bar(
          start..<end, label: span.label, hasStart: span.start >= line.lowerBound,
          hasEnd: span.end <= line.upperBound, width: width))
    }

    // Spans come outer first, so that placing them from the end puts what is inside on top.
    let innerFirst = bars.enumerated().sorted { left, right in
      (left.element.columns.count, -left.offset) < (right.element.columns.count, -right.offset)
    }
    for (_, bar) in innerFirst {
      var lane = 0
      for (index, others) in lanes.enumerated() {
        if others.contains(where: { $0.columns.overlaps(bar.columns) }) { lane = index + 1 }
      }
      while lane < lanes.count, lanes[lane].contains(where: { Self.collide($0, bar) }) { lane += 1 }
      if lane == lanes.count { lanes.append([]) }
      lanes[lane].append(bar)
    }
    for lane in lanes.indices { lanes[lane].sort { $0.textColumn < $1.textColumn } }
  }

  /// Whether two bars would touch: a reader could not tell where one ends.
  private static func collide(_ left: Bar, _ right: Bar) -> Bool {
    let (left, right) = (left.textColumns, right.textColumns)
    return left.lowerBound <= right.upperBound && right.lowerBound <= left.upperBound
  }

  /// `╰PER────╯`; open on the side where the span goes on, on another line.
  private static func bar(
    _ columns: Range<Int>, label: String, hasStart: Bool, hasEnd: Bool, width: Int
  ) -> Bar {
    var name = DisplayWidth.visible(label)
    let nameWidth = DisplayWidth.of(name)
    let (opening, closing) = (hasStart ? "╰" : "╶", hasEnd ? "╯" : "╴")
    let fill = columns.count - nameWidth - 2
    func bar(_ head: String, _ name: String, _ tail: String, at column: Int) -> Bar {
      Bar(columns: columns, label: label, head: head, name: name, tail: tail, textColumn: column)
    }

    if fill >= 0 {
      let line = String(repeating: "─", count: fill)
      return bar(opening, name, line + closing, at: columns.lowerBound)
    }
    if !hasStart {  // the label stands on an earlier line
      name = ""
      let line = String(repeating: "─", count: max(columns.count - 2, 0))
      return bar(columns.count > 1 ? opening : "", name, line + closing, at: columns.lowerBound)
    }
    if columns.lowerBound + 1 + nameWidth > width {  // at the right edge it grows to the left
      return bar("", name, closing, at: max(columns.upperBound - nameWidth - 1, 0))
    }
    return bar(opening, name, "", at: columns.lowerBound)
  }
}
