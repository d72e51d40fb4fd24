/// Writes a page of documents for reading and printing, a document at a time.
///
/// The page needs nothing else: its style (`page.css`) and its scripts (`arcs.js` for relations drawn over the text,
/// `page.js` for highlights and the filter) are in it, and its content policy forbids the browser to load more. Without
/// the scripts only the arcs and the filter are missing. The legend is written last, when all labels are known; the
/// style shows it first.
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
    writer.markup(EmbeddedText.pageCss)
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
    writer.markup(EmbeddedText.arcsJs)
    writer.markup(EmbeddedText.pageJs)
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

/// One document on the page: its text, then its relations as a list, then its events as cards.
///
/// `data-s` names marks by their number in the document, `data-k` labels by their place in the legend. The scripts
/// need them to draw arcs, to highlight and to filter.
struct PageDocument {
  /// Code points. A browser would take too long to lay out a longer text again and again to make room for arcs.
  static let longestWithArcs = 200_000

  private let document: ShownDocument
  private let marks: DocumentMarks
  private let text: MarkedText
  private let markClasses: [String]
  private let predicateClasses: [String]
  private let eventClasses: [String]
  private let labels: Set<Int>
  private let titles: [String]

  /// The `counts` know every label of the document.
  init(_ document: ShownDocument, _ marks: DocumentMarks, counts: LabelCounts) {
    var labels: Set<Int> = []
    func classes(_ label: String, _ group: LabelCounts.Group) -> String {
      guard let place = counts.place(of: label, in: group) else { return "" }
      labels.insert(place)
      return PagePalette.classes(place)
    }
    self.document = document
    self.marks = marks
    text = MarkedText(document.text, marks: marks.marks)
    markClasses = marks.marks.map { classes($0.label, $0.group) }
    predicateClasses = document.relations.map { classes($0.predicate, .relation) }
    eventClasses = document.events.map { classes($0.type, .event) }
    self.labels = labels
    var titles = marks.marks.map(\.label)
    // Entities come first among the marks, in their order, each once.
    var scores: [DocumentMarks.Mark: String] = [:]
    for entity in document.entities {
      let mark = DocumentMarks.Mark(range: entity.range, label: entity.label, group: .entity)
      let parts = [
        entity.score.map { "score \(Quantity.score($0))" },
        entity.probability.map { "probability \(Quantity.score($0))" },
      ]
      if scores[mark] == nil { scores[mark] = parts.compactMap(\.self).map { ", " + $0 }.joined() }
    }
    for (index, mark) in marks.marks.enumerated() { titles[index] += scores[mark] ?? "" }
    self.titles = titles
  }

  func write(to writer: inout HTMLWriter) {
    writer.markup("<article class=\"doc\"")
    writer.attribute("id", "l\(document.line)")
    writer.attribute("data-k", labels.sorted().map(String.init).joined(separator: " "))
    writer.markup("><header><h2 dir=\"auto\">")
    writer.text(document.name)
    writer.markup("</h2>")
    if document.id != nil {
      writer.markup("<small>line ")
      writer.text("\(document.line)")
      writer.markup("</small>")
    }
    let hasArcs = document.text.unicodeScalars.count <= Self.longestWithArcs
    writer.markup("</header>\n<div")
    writer.attribute("class", hasArcs ? "body" : "body plain")
    writer.markup("><div class=\"text\" dir=\"auto\" lang=\"\"")
    if text.levels.count > 0 { writer.attribute("style", "--lanes:\(text.levels.count)") }
    writer.markup(">")
    text.write(to: &writer, look: { markClasses[$0] }, title: { titles[$0] })
    writer.markup("</div></div>\n")
    writeUndrawn(to: &writer)
    if !hasArcs && !document.relations.isEmpty {
      writer.markup("<p class=\"note\">The text is too long for arcs; its relations are in the list.</p>\n")
    }
    writeRelations(to: &writer)
    writeEvents(to: &writer)
    if document.isTruncated { writer.markup("<p class=\"note\">Not every candidate was looked at.</p>\n") }
    writer.markup("</article>\n")
  }

  // MARK: Parts

  /// Marks for which there was no room below the text.
  private func writeUndrawn(to writer: inout HTMLWriter) {
    let undrawn = marks.marks.indices.filter { text.levels.levels[$0] == nil }
    guard !undrawn.isEmpty else { return }
    let offsets = TextOffsets(document.text, unit: .codepoint)
    writer.markup("<p class=\"note\">Too deep to draw:</p>\n<ul class=\"more\">")
    for index in undrawn {
      writer.markup("<li")
      writer.attribute("class", markClasses[index])
      writer.markup("><bdi>")
      writer.text(offsets[marks.marks[index].range])
      writer.markup("</bdi> <b>")
      writer.text(marks.marks[index].label)
      writer.markup("</b></li>")
    }
    writer.markup("</ul>\n")
  }

  private func writeRelations(to writer: inout HTMLWriter) {
    guard !document.relations.isEmpty else { return }
    writer.markup("<ol class=\"relations\">")
    for (index, relation) in document.relations.enumerated() {
      let (subject, object) = marks.relations[index]
      writer.markup("<li class=\"r\" tabindex=\"0\"")
      writer.attribute("data-s", "\(subject) \(object)")
      writer.markup(">")
      writeEnd(relation.subject.text, markClasses[subject], to: &writer)
      writer.markup(" <b")
      writer.attribute("class", "p " + predicateClasses[index])
      writer.markup("><bdi>")
      writer.text(relation.predicate)
      writer.markup("</bdi></b> → ")
      writeEnd(relation.object.text, markClasses[object], to: &writer)
      writeScore(relation.score, to: &writer)
      writer.markup("</li>\n")
    }
    writer.markup("</ol>\n")
  }

  private func writeEnd(_ text: String, _ classes: String, to writer: inout HTMLWriter) {
    writer.markup("<bdi")
    writer.attribute("class", "e " + classes)
    writer.markup(">")
    writer.text(text)
    writer.markup("</bdi>")
  }

  private func writeEvents(to writer: inout HTMLWriter) {
    guard !document.events.isEmpty else { return }
    writer.markup("<div class=\"events\">")
    for (index, event) in document.events.enumerated() {
      let places = marks.events[index]
      writer.markup("<section tabindex=\"0\"")
      writer.attribute("class", "event " + eventClasses[index])
      writer.attribute("data-s", places.map(String.init).joined(separator: " "))
      writer.markup("><h3 dir=\"auto\">")
      writer.text(event.type)
      writer.markup("</h3><dl>")
      for (number, argument) in event.arguments.enumerated() {
        // What several play is one row.
        let isNew = number == 0 || event.arguments[number - 1].role != argument.role
        if isNew {
          writer.markup("<div")
          writer.attribute("class", markClasses[places[number]])
          writer.markup("><dt><bdi>")
          writer.text(argument.role)
          writer.markup("</bdi></dt>")
        }
        writer.markup("<dd")
        writer.attribute("data-s", "\(places[number])")
        writer.markup("><bdi>")
        writer.text(argument.text)
        writer.markup("</bdi>")
        writeScore(argument.score, to: &writer)
        writer.markup("</dd>")
        let isLast = number == event.arguments.count - 1 || event.arguments[number + 1].role != argument.role
        if isLast { writer.markup("</div>") }
      }
      writer.markup("</dl></section>\n")
    }
    writer.markup("</div>\n")
  }

  private func writeScore(_ score: Double?, to writer: inout HTMLWriter) {
    guard let score else { return }
    writer.markup(" <small>")
    writer.text(Quantity.score(score))
    writer.markup("</small>")
  }
}
