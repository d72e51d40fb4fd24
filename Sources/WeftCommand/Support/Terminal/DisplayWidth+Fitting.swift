extension DisplayWidth {
  /// `text` on one line, safe to show, in at most `width` columns; where it is longer, `ellipsis` says so.
  static func fitting(_ text: String, in width: Int, ellipsis: String = "…") -> String {
    let line = visible(text.split(whereSeparator: \.isNewline).joined(separator: " "))
    guard of(line) > width else { return line }
    let end = of(ellipsis) <= width ? ellipsis : ""
    var (kept, columns) = ("", of(end))
    for character in line {
      columns += of(character)
      if columns > width { break }
      kept.append(character)
    }
    while kept.last == " " { kept.removeLast() }
    return kept + end
  }
}
