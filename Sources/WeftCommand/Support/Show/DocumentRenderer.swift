/// Writes documents for a terminal, one after the other; labels keep their colours throughout.
struct DocumentRenderer {
  private static let indent = 2

  let terminal: Terminal
  /// The terminal that relations and events are cut to: without an end where a file or a pipe is written.
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
    var text = heading(document.name)
    text += spans.render(
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
      text += "\n" + RelationLines(terminal: page, palette: spans.palette, indent: Self.indent).render(lines)
    }
    let cards = EventCards(terminal: page, palette: spans.palette, indent: Self.indent)
    for event in document.events { text += "\n" + cards.render(event) }
    if document.isTruncated {
      text += "\n" + margin + Style.dim.apply(to: "not every candidate was looked at", colours: terminal.colours)
      text += "\n"
    }
    return text + "\n"
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

/// Writes relations below one another, their arrows in one column.
///
/// ```
/// Sen. Dennis DeConcini  ──Work_For──▶  Senate Appropriations treasury and…
/// The Quayles            ──Live_In───▶  Naval Observatory
/// ```
struct RelationLines: Sendable {
  let terminal: Terminal
  let palette: LabelPalette
  /// Columns left free on the left.
  let indent: Int

  /// One relation: its texts, and the labels that its ends' colours follow.
  struct Line: Sendable {
    var subject: (text: String, label: String)
    var predicate: String
    var object: (text: String, label: String)
    var score: Double?
  }

  func render(_ lines: [Line]) -> String {
    let (dash, head, ellipsis) = terminal.isUnicode ? ("─", "▶", "…") : ("-", ">", "...")
    func widest(_ text: (Line) -> String) -> Int {
      lines.reduce(0) { max($0, DisplayWidth.of(DisplayWidth.fitting(text($1), in: .max))) }
    }
    // A narrow terminal has no room for scores.
    let scores = lines.map { terminal.width < 40 ? "" : $0.score.map(Quantity.score) ?? "" }
    let scoreWidth = scores.reduce(0) { max($0, $1.count) }
    // The gaps around the arrow and before the score, and the arrow's own five characters.
    let room = max(terminal.width - indent - 4 - 5 - (scoreWidth > 0 ? scoreWidth + 2 : 0), 3)
    let predicateWidth = min(widest(\.predicate), max(room / 3, 1))
    let ends = room - predicateWidth
    let (subjectWidth, objectWidth) = Self.share(ends, widest(\.subject.text), widest(\.object.text))

    var text = ""
    for (line, score) in zip(lines, scores) {
      func fit(_ text: String, _ width: Int) -> String { DisplayWidth.fitting(text, in: width, ellipsis: ellipsis) }
      let predicate = fit(line.predicate, predicateWidth)
      let fill = String(repeating: dash, count: predicateWidth - DisplayWidth.of(predicate))
      let arrow = Style(colour: palette[line.predicate])
      let object = fit(line.object.text, objectWidth)
      text += String(repeating: " ", count: indent)
      text += coloured(
        DisplayWidth.padded(fit(line.subject.text, subjectWidth), to: subjectWidth), line.subject.label)
      text += "  " + arrow.apply(to: dash + dash, colours: terminal.colours)
      text += Style(colour: palette[line.predicate], isBold: true).apply(to: predicate, colours: terminal.colours)
      text += arrow.apply(to: fill + dash + dash + head, colours: terminal.colours) + "  "
      text += coloured(object, line.object.label)
      if !score.isEmpty {
        let gap = objectWidth - DisplayWidth.of(object) + 2 + scoreWidth - score.count
        text += String(repeating: " ", count: gap) + Style.dim.apply(to: score, colours: terminal.colours)
      }
      text += "\n"
    }
    return text
  }

  /// Gives both ends the room they want, and where there is too little, each at least half of it.
  private static func share(_ room: Int, _ left: Int, _ right: Int) -> (Int, Int) {
    guard left + right > room else { return (left, right) }
    let half = room / 2
    if left <= half { return (left, room - left) }
    if right <= half { return (room - right, right) }
    return (half, room - half)
  }

  private func coloured(_ text: String, _ label: String) -> String {
    Style(colour: palette[label]).apply(to: text, colours: terminal.colours)
  }
}

/// Writes events as small cards, the trigger first.
///
/// ```
/// 组织关系-裁员
/// ├ trigger   裁员
/// ├ 裁员人数  900余人
/// ╰ 时间      5月份
/// ```
struct EventCards: Sendable {
  let terminal: Terminal
  let palette: LabelPalette
  /// Columns left free on the left.
  let indent: Int

  func render(_ event: ShownDocument.Event) -> String {
    let (row, last, ellipsis) = terminal.isUnicode ? ("├ ", "╰ ", "…") : ("|- ", "`- ", "...")
    let margin = String(repeating: " ", count: indent)
    let room = max(terminal.width - indent, 10)
    let type = DisplayWidth.fitting(event.type, in: room, ellipsis: ellipsis)
    var text = margin + style(event.type, isBold: true).apply(to: type, colours: terminal.colours) + "\n"

    let names = event.arguments.map { DisplayWidth.fitting($0.role, in: room / 3, ellipsis: ellipsis) }
    let width = names.reduce(0) { max($0, DisplayWidth.of($1)) }
    var previous: String?
    for (index, argument) in event.arguments.enumerated() {
      // A role that several play is named once.
      let name = argument.role == previous ? "" : names[index]
      previous = argument.role
      let branch = index == event.arguments.count - 1 ? last : row
      let score = argument.score.map { "  " + Quantity.score($0) } ?? ""
      let rest = max(room - branch.count - width - 2 - score.count, 1)
      text += margin + style(event.type).apply(to: branch, colours: terminal.colours)
      text += style(argument.role).apply(to: DisplayWidth.padded(name, to: width), colours: terminal.colours)
      text += "  " + DisplayWidth.fitting(argument.text, in: rest, ellipsis: ellipsis)
      text += Style.dim.apply(to: score, colours: terminal.colours) + "\n"
    }
    return text
  }

  private func style(_ label: String, isBold: Bool = false) -> Style {
    Style(colour: palette[label], isBold: isBold)
  }
}
