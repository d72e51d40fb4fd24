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

  /// Whether two bars would touch, so that nobody could tell where one ends.
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
