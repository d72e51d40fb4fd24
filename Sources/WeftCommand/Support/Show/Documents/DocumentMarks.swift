/// The stretches of a document's text that are marked, each once however many things name it.
struct DocumentMarks: Sendable {
  struct Mark: Hashable, Sendable {
    let range: Range<Int>
    let label: String
    let group: LabelCounts.Group
  }

  private(set) var marks: [Mark] = []
  /// The places in ``marks`` of each relation's subject and object.
  private(set) var relations: [(subject: Int, object: Int)] = []
  /// The places in ``marks`` of each event's arguments.
  private(set) var events: [[Int]] = []
  private var places: [Mark: Int] = [:]

  init(_ document: ShownDocument) {
    for entity in document.entities { _ = place(entity.range, entity.label, .entity) }
    for relation in document.relations {
      for argument in [relation.subject, relation.object] {
        if let label = argument.label { _ = place(argument.range, label, .entity) }
      }
    }
    // An end without a label takes that of an entity in its place.
    var labels: [Range<Int>: String] = [:]
    for mark in marks where labels[mark.range] == nil { labels[mark.range] = mark.label }
    for relation in document.relations {
      func end(_ argument: ShownDocument.Argument, _ part: String) -> Int {
        place(argument.range, argument.label ?? labels[argument.range] ?? part, .entity)
      }
      relations.append((end(relation.subject, "subject"), end(relation.object, "object")))
    }
    for event in document.events { events.append(event.arguments.map { place($0.range, $0.role, .role) }) }
  }

  private mutating func place(_ range: Range<Int>, _ label: String, _ group: LabelCounts.Group) -> Int {
    let mark = Mark(range: range, label: label, group: group)
    if let place = places[mark] { return place }
    places[mark] = marks.count
    marks.append(mark)
    return marks.count - 1
  }
}
