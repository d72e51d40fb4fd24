/// Draws documents for a terminal, one after the other; labels keep their colours throughout.
struct DocumentDrawing {
  private static let indent = 2

  let terminal: Terminal
  /// The terminal that relations and events are cut to: endless where a file or a pipe is written.
  private let page: Terminal
  private(set) var counts = LabelCounts()

  /// - Parameters:
  ///   - terminal: what can be shown.
  ///   - isCut: whether what is too long for a line ends in an ellipsis.
  init(terminal: Terminal, isCut: Bool = true) {
    self.terminal = terminal
    var page = terminal
    if !isCut { page.width = 1 << 30 }
    self.page = page
  }

  /// A heading, the text with its marks, the relations and the events; each line ended by a line break.
  mutating func render(_ document: ShownDocument) -> String {
    let marks = DocumentMarks(document)
    counts.count(document, marks)
    let labels = counts.entries.map(\.label)
    let spans = SpanRenderer(terminal: terminal, labels: labels, indent: Self.indent)
    var drawing = heading(document.name)
    drawing += spans.render(
      document.text,
      spans: marks.marks.map {
        LabelledSpan(start: $0.range.lowerBound, end: $0.range.upperBound, label: $0.label)
      })

    let lines = zip(document.relations, marks.relations).map { relation, ends in
      RelationLines.Line(
        subject: (relation.subject.text, marks.marks[ends.subject].label), predicate: relation.predicate,
        object: (relation.object.text, marks.marks[ends.object].label), score: relation.score)
    }
    if !lines.isEmpty {
      drawing += "\n" + RelationLines(terminal: page, palette: spans.palette, indent: Self.indent).render(lines)
    }
    let cards = EventCards(terminal: page, palette: spans.palette, indent: Self.indent)
    for event in document.events { drawing += "\n" + cards.render(event) }
    if document.isTruncated {
      drawing += "\n" + margin + Style.dim.apply(to: "not every candidate was looked at", colours: terminal.colours)
      drawing += "\n"
    }
    return drawing + "\n"
  }

  /// What stands for a line that has no document.
  func renderFailure(line: Int, message: String) -> String {
    let error = Style(colour: Colour(many: 203, sixteen: 31), isBold: true).apply(
      to: "error", colours: terminal.colours)
    return heading("line \(line)") + margin + error + ": " + DisplayWidth.visible(message) + "\n\n"
  }

  /// The labels in their colours with how often each occurs, a line for each group: as many as there is room for.
  func legend() -> String {
    let renderer = SpanRenderer(terminal: terminal, labels: counts.entries.map(\.label))
    var legend = ""
    for group in LabelCounts.Group.allCases {
      let ranked = counts.ranked(group).map { (label: $0.entry.label, count: $0.entry.count) }
      guard !ranked.isEmpty else { continue }
      var room = terminal.width - 11 - 12  // the heading, and "and N more"
      let fitting = ranked.prefix { entry in
        room -= DisplayWidth.of(DisplayWidth.visible(entry.label)) + Quantity.grouped(entry.count).count + 4
        return room >= 0
      }
      let rest = ranked.count - fitting.count
      let parts = [fitting.isEmpty ? "" : renderer.legend(Array(fitting)), rest == 0 ? "" : "and \(rest) more"]
      legend +=
        DisplayWidth.padded(group.heading, to: 11) + parts.filter { !$0.isEmpty }.joined(separator: "   ") + "\n"
    }
    return legend
  }

  // MARK: Parts

  private var margin: String { String(repeating: " ", count: Self.indent) }

  private func heading(_ name: String) -> String {
    let (dash, ellipsis) = terminal.isUnicode ? ("─", "…") : ("-", "...")
    let name = DisplayWidth.fitting(name, in: terminal.width - 6, ellipsis: ellipsis)
    let rest = String(repeating: dash, count: max(terminal.width - 4 - DisplayWidth.of(name), 0))
    return Style.dim.apply(to: dash + dash, colours: terminal.colours) + " "
      + Style.bold.apply(to: name, colours: terminal.colours) + " "
      + Style.dim.apply(to: rest, colours: terminal.colours) + "\n"
  }
}

extension LabelCounts.Group {
  /// What a legend calls the group.
  var heading: String {
    switch self {
    case .entity: "entities"
    case .relation: "relations"
    case .event: "events"
    case .role: "roles"
    }
  }
}
