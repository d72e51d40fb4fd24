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

/// Every label met so far with how often, in the order of their first appearance, which decides their colours.
struct LabelCounts: Sendable {
  enum Group: CaseIterable, Sendable { case entity, relation, event, role }

  struct Entry: Sendable {
    let group: Group
    let label: String
    fileprivate(set) var count: Int
  }

  private struct Key: Hashable {
    let group: Group
    let label: String
  }

  private(set) var entries: [Entry] = []
  private var places: [Key: Int] = [:]

  /// Counts one more.
  mutating func count(_ label: String, in group: Group) {
    let key = Key(group: group, label: label)
    if let place = places[key] {
      entries[place].count += 1
    } else {
      places[key] = entries.count
      entries.append(Entry(group: group, label: label, count: 1))
    }
  }

  /// The label's place in ``entries``; nil if it was never counted.
  func place(of label: String, in group: Group) -> Int? { places[Key(group: group, label: label)] }

  /// The entries of a group, the most frequent first.
  func ranked(_ group: Group) -> [(place: Int, entry: Entry)] {
    entries.enumerated().filter { $0.element.group == group }
      .sorted { ($1.element.count, $0.offset) < ($0.element.count, $1.offset) }
      .map { ($0.offset, $0.element) }
  }
}

extension LabelCounts {
  /// Counts everything in a document; a stretch of text that several things name counts once.
  mutating func count(_ document: ShownDocument, _ marks: DocumentMarks) {
    for mark in marks.marks { count(mark.label, in: mark.group) }
    for relation in document.relations { count(relation.predicate, in: .relation) }
    for event in document.events { count(event.type, in: .event) }
  }
}
