/// Writes a text with its labelled spans, nested or crossing, for a person to read.
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

  /// The lines, each ended by a line break.
  func render(_ text: String, spans: [LabelledSpan]) -> String {
    let cells = TextCells(text, spans: spans)
    let margin = String(repeating: " ", count: indent)
    guard terminal.colours != .none, terminal.isUnicode else {
      return margin + BracketedText.render(cells) + "\n"
    }

    let width = max(terminal.width - indent, 10)
    let innermost = innermostLabels(cells)
    var rendered = ""
    var hasBars = false
    for line in cells.lines(columns: width) {
      if hasBars { rendered += "\n" }  // bars belong to the line above them
      rendered += margin + textLine(cells, line, innermost) + "\n"
      let lanes = SpanLanes(cells, line: line, width: width).lanes
      for lane in lanes { rendered += margin + barLine(lane) + "\n" }
      hasBars = !lanes.isEmpty
    }
    return rendered
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

/// Gives each label a colour, the same on every line and in every document.
struct LabelPalette: Sendable {
  /// Easy to tell apart, and readable on dark and on light backgrounds.
  private static let colours: [Colour] = [
    Colour(many: 33, sixteen: 34), Colour(many: 208, sixteen: 33), Colour(many: 35, sixteen: 32),
    Colour(many: 170, sixteen: 35), Colour(many: 37, sixteen: 36), Colour(many: 203, sixteen: 31),
    Colour(many: 141, sixteen: 95), Colour(many: 178, sixteen: 93), Colour(many: 107, sixteen: 92),
    Colour(many: 211, sixteen: 91),
  ]

  private let places: [String: Int]

  /// - Parameter labels: the model's labels; their order decides the colours.
  init(labels: [String]) {
    places = Dictionary(
      labels.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
  }

  subscript(label: String) -> Colour {
    // FNV-1a: unlike Hashable, the same in every run.
    let place =
      places[label]
      ?? Int(label.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 } >> 1)
    return Self.colours[place % Self.colours.count]
  }
}

/// The plain form of labelled spans: `[Mr. [Reed PER]'s brother PER] left.`
///
/// For reading, not for parsing: brackets of the text itself look the same. Spans that cross
/// others carry a number at both brackets, `[1 … [2 … 1 PER] … 2 LOC]`, since brackets alone
/// cannot say which closes which.
enum BracketedText {
  static func render(_ cells: TextCells) -> String {
    let spans = cells.spans
    var numbers: [Int: Int] = [:]
    for index in spans.indices where spans.contains(where: { $0.crosses(spans[index]) }) {
      numbers[index] = numbers.count + 1
    }

    var text = ""
    for position in 0...cells.cells.count {
      // Of the spans that end here, those that began last close first.
      for index in spans.indices.reversed() where spans[index].end == position {
        let label = DisplayWidth.visible(spans[index].label)
        text += " " + (numbers[index].map { "\($0) " } ?? "") + label + "]"
      }
      for index in spans.indices where spans[index].start == position {
        text += "[" + (numbers[index].map { "\($0) " } ?? "")
      }
      guard position < cells.cells.count else { continue }
      text += cells.cells[position].isLineBreak ? "\n" : cells.cells[position].text
    }
    return text
  }
}
