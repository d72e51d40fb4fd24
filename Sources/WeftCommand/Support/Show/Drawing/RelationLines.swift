/// Draws relations below one another, their arrows in one column.
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

  /// One drawn relation: what its ends' colours follow, and its texts.
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
    // A narrow terminal has no room for them.
    let scores = lines.map { terminal.width < 40 ? "" : $0.score.map(ScoreText.of) ?? "" }
    let scoreWidth = scores.reduce(0) { max($0, $1.count) }
    // The gaps around the arrow and before the score, and the arrow's own five characters.
    let room = max(terminal.width - indent - 4 - 5 - (scoreWidth > 0 ? scoreWidth + 2 : 0), 3)
    let predicateWidth = min(widest(\.predicate), max(room / 3, 1))
    let ends = room - predicateWidth
    let (subjectWidth, objectWidth) = Self.share(ends, widest(\.subject.text), widest(\.object.text))

    var drawing = ""
    for (line, score) in zip(lines, scores) {
      func fit(_ text: String, _ width: Int) -> String { DisplayWidth.fitting(text, in: width, ellipsis: ellipsis) }
      let predicate = fit(line.predicate, predicateWidth)
      let fill = String(repeating: dash, count: predicateWidth - DisplayWidth.of(predicate))
      let arrow = Style(colour: palette[line.predicate])
      let object = fit(line.object.text, objectWidth)
      drawing += String(repeating: " ", count: indent)
      drawing += coloured(
        DisplayWidth.padded(fit(line.subject.text, subjectWidth), to: subjectWidth), line.subject.label)
      drawing += "  " + arrow.apply(to: dash + dash, colours: terminal.colours)
      drawing += Style(colour: palette[line.predicate], isBold: true).apply(to: predicate, colours: terminal.colours)
      drawing += arrow.apply(to: fill + dash + dash + head, colours: terminal.colours) + "  "
      drawing += coloured(object, line.object.label)
      if !score.isEmpty {
        let gap = objectWidth - DisplayWidth.of(object) + 2 + scoreWidth - score.count
        drawing += String(repeating: " ", count: gap) + Style.dim.apply(to: score, colours: terminal.colours)
      }
      drawing += "\n"
    }
    return drawing
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
