/// Draws a text with its labelled spans, nested or crossing, for a person to read.
///
/// ```
/// The old housekeeper of Thornfield Hall came to meet Jane.
///                        ╰FAC──────────╯              ╰PER
/// ╰PER────────────────────────────────╯
/// ```
///
/// On a terminal with colours each label has its own, in the text (the innermost span's) and in
/// the bars. Without colours the plain form stands on the text's own lines:
/// `[The old housekeeper of [Thornfield Hall FAC] PER] came …`.
struct SpanRenderer: Sendable {
  var terminal: Terminal
  var palette: LabelPalette
  /// Columns left free on the left.
  var indent: Int

  init(terminal: Terminal, labels: [String], indent: Int = 0) {
    self.terminal = terminal
    palette = LabelPalette(labels: labels)
    self.indent = indent
  }

  /// The drawing, each line ended by a line break.
  func render(_ text: String, spans: [LabelledSpan]) -> String {
    let cells = TextCells(text, spans: spans)
    let margin = String(repeating: " ", count: indent)
    guard terminal.colours != .none, terminal.isUnicode else {
      return margin + BracketedText.render(cells) + "\n"
    }

    let width = max(terminal.width - indent, 10)
    let innermost = innermostLabels(cells)
    var drawing = ""
    var hasBars = false
    for line in cells.lines(columns: width) {
      if hasBars { drawing += "\n" }  // bars belong to the line above them
      drawing += margin + textLine(cells, line, innermost) + "\n"
      let lanes = SpanLanes(cells, line: line, width: width).lanes
      for lane in lanes { drawing += margin + barLine(lane) + "\n" }
      hasBars = !lanes.isEmpty
    }
    return drawing
  }

  /// Labels in their colours with how often each occurs: `PER 12  LOC 3`.
  func legend(_ counts: [(label: String, count: Int)]) -> String {
    counts.map { entry in
      let label = DisplayWidth.visible(entry.label)
      return style(entry.label, isBold: true).apply(to: label, colours: terminal.colours)
        + " " + Quantity.grouped(entry.count)
    }.joined(separator: "   ")
  }

  // MARK: Parts

  private func style(_ label: String, isBold: Bool = false) -> Style {
    Style(colour: palette[label], isBold: isBold)
  }

  /// For each cell the label of the smallest span around it.
  private func innermostLabels(_ cells: TextCells) -> [String?] {
    var labels: [String?] = Array(repeating: nil, count: cells.cells.count)
    let outerFirst = cells.spans.sorted { $0.end - $0.start > $1.end - $1.start }
    for span in outerFirst {
      for cell in span.start..<span.end { labels[cell] = span.label }
    }
    return labels
  }

  private func textLine(_ cells: TextCells, _ line: Range<Int>, _ labels: [String?]) -> String {
    var text = ""
    var start = line.lowerBound
    while start < line.upperBound {
      let label = labels[start]
      let end = labels[start..<line.upperBound].firstIndex { $0 != label } ?? line.upperBound
      let piece = cells.cells[start..<end].map(\.text).joined()
      let look = label.map { style($0, isBold: true) } ?? .plain
      text += look.apply(to: piece, colours: terminal.colours)
      start = end
    }
    return text
  }

  private func barLine(_ lane: [SpanLanes.Bar]) -> String {
    var text = ""
    var column = 0
    for bar in lane {
      text += String(repeating: " ", count: max(bar.textColumn - column, 0))
      let line = style(bar.label)
      text += line.apply(to: bar.head, colours: terminal.colours)
      text += style(bar.label, isBold: true).apply(to: bar.name, colours: terminal.colours)
      text += line.apply(to: bar.tail, colours: terminal.colours)
      column = bar.textColumns.upperBound
    }
    return text
  }
}
