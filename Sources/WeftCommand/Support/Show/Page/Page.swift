/// Writes a page of documents for reading and printing, a document at a time.
///
/// Nothing on the page comes from elsewhere: its looks and its script are in it, and its policy forbids the browser to
/// ask for more. Without the script all is there but the arcs and the filter. The legend is known only at the end, and
/// stands first by its style.
struct Page {
  private(set) var counts = LabelCounts()
  private(set) var documentCount = 0
  private(set) var failureCount = 0

  /// Everything before the first document; the title names the inputs.
  func begin(title: String, to writer: inout HTMLWriter) {
    writer.markup(
      """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8"/>
      <meta name="viewport" content="width=device-width,initial-scale=1"/>
      <meta http-equiv="Content-Security-Policy" content="default-src 'none';style-src 'unsafe-inline';\
      script-src 'unsafe-inline';base-uri 'none';form-action 'none'"/>
      <title>
      """)
    writer.text(title)
    writer.markup("</title>\n<style>\n")
    PagePalette.write(to: &writer)
    writer.markup(PageStyle.text)
    writer.markup("</style>\n</head>\n<body>\n<main>\n<h1 dir=\"auto\">")
    writer.text(title)
    writer.markup("</h1>\n")
  }

  mutating func write(_ document: ShownDocument, to writer: inout HTMLWriter) {
    documentCount += 1
    let marks = DocumentMarks(document)
    counts.count(document, marks)
    PageDocument(document, marks, counts: counts).write(to: &writer)
  }

  /// What stands for a line that has no document.
  mutating func writeFailure(line: Int, message: String, to writer: inout HTMLWriter) {
    failureCount += 1
    writer.markup("<article class=\"doc failure\"><header><h2>line ")
    writer.text("\(line)")
    writer.markup("</h2></header><p dir=\"auto\">")
    writer.text(message)
    writer.markup("</p></article>\n")
  }

  func end(to writer: inout HTMLWriter) {
    writer.markup("</main>\n<aside>\n<p class=\"count\" aria-live=\"polite\">")
    writer.text(Self.number(documentCount, "document"))
    if failureCount > 0 { writer.text(", \(Self.number(failureCount, "line")) failed") }
    writer.markup("</p>\n<input type=\"search\" hidden=\"\" placeholder=\"Find in all documents\"/>\n")
    for group in LabelCounts.Group.allCases { writeLegend(group, to: &writer) }
    writer.markup("</aside>\n<script>\n")
    writer.markup(PageArcs.text)
    writer.markup(PageScript.text)
    writer.markup("</script>\n</body>\n</html>\n")
  }

  // MARK: Parts

  private func writeLegend(_ group: LabelCounts.Group, to writer: inout HTMLWriter) {
    let ranked = counts.ranked(group)
    guard !ranked.isEmpty else { return }
    writer.markup("<section class=\"legend\"><h2>")
    writer.text(group.heading)
    writer.markup("</h2><ul>")
    for (place, entry) in ranked {
      writer.markup("<li><button type=\"button\" disabled=\"\" aria-pressed=\"false\"")
      writer.attribute("class", PagePalette.classes(place))
      writer.attribute("data-k", "\(place)")
      writer.markup("><bdi>")
      writer.text(entry.label)
      writer.markup("</bdi> <small>")
      writer.text(Quantity.grouped(entry.count))
      writer.markup("</small></button></li>")
    }
    writer.markup("</ul></section>\n")
  }

  private static func number(_ count: Int, _ noun: String) -> String {
    "\(Quantity.grouped(count)) \(noun)\(count == 1 ? "" : "s")"
  }
}
