/// Draws events as small cards, the trigger first.
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
    var drawing = margin + style(event.type, isBold: true).apply(to: type, colours: terminal.colours) + "\n"

    let names = event.arguments.map { DisplayWidth.fitting($0.role, in: room / 3, ellipsis: ellipsis) }
    let width = names.reduce(0) { max($0, DisplayWidth.of($1)) }
    var previous: String?
    for (index, argument) in event.arguments.enumerated() {
      // A role that several play is named once.
      let name = argument.role == previous ? "" : names[index]
      previous = argument.role
      let branch = index == event.arguments.count - 1 ? last : row
      let score = argument.score.map { "  " + ScoreText.of($0) } ?? ""
      let rest = max(room - branch.count - width - 2 - score.count, 1)
      drawing += margin + style(event.type).apply(to: branch, colours: terminal.colours)
      drawing += style(argument.role).apply(to: DisplayWidth.padded(name, to: width), colours: terminal.colours)
      drawing += "  " + DisplayWidth.fitting(argument.text, in: rest, ellipsis: ellipsis)
      drawing += Style.dim.apply(to: score, colours: terminal.colours) + "\n"
    }
    return drawing
  }

  private func style(_ label: String, isBold: Bool = false) -> Style {
    Style(colour: palette[label], isBold: isBold)
  }
}
