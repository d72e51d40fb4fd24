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
