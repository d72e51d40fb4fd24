/// What the labels and links of a data set are called, in the order of a model's score matrices.
package struct LabelInventory: Sendable, Hashable {
  package let task: ModelTask
  /// Entity types; `subject` and `object`; or `TYPE/ROLE` for every role of every event type.
  package let labels: [String]
  /// Predicates for relations, one `link` for events, none for entities.
  package let links: [String]
  private let labelIndices: [String: Int]
  private let linkIndices: [String: Int]

  /// A model's own names.
  package init(task: ModelTask, labels: [String], links: [String]) {
    self.task = task
    self.labels = labels
    self.links = links
    labelIndices = Dictionary(zip(labels, labels.indices)) { first, _ in first }
    linkIndices = Dictionary(zip(links, links.indices)) { first, _ in first }
  }

  /// The names in the documents, sorted by their code points.
  ///
  /// - Parameters:
  ///   - documents: what a model is to learn from.
  ///   - task: what it is to find.
  /// - Throws: `TrainingError` if there is no document, none with a label, one of another task, or a name that no model
  ///   can have.
  package init(of documents: [TrainingDocument], task: ModelTask) throws(TrainingError) {
    guard !documents.isEmpty else { throw TrainingError("there is no document to learn from") }
    var names = NameSet(noun: task == .entities ? "label" : task == .relations ? "predicate" : "role")
    for (index, document) in documents.enumerated() {
      guard document.gold.task == task else {
        throw TrainingError(
          "document \(index + 1) has \(document.gold.task.rawValue), and \(task.rawValue) are to be learned")
      }
      switch document.gold {
      case .entities(let entities): for entity in entities { try names.insert(entity.label, index) }
      case .relations(let relations): for relation in relations { try names.insert(relation.predicate, index) }
      case .events(let events):
        for event in events {
          for argument in event.arguments { try names.insert(try Self.name(event, argument, index), index) }
        }
      }
    }
    guard !names.isEmpty else {
      throw TrainingError(
        "\(documents.count == 1 ? "the only document has none" : "none of the \(documents.count) documents has any") "
          + "of the \(task.rawValue) to learn from")
    }
    let sorted = names.sorted
    switch task {
    case .entities: self.init(task: task, labels: sorted, links: [])
    case .relations: self.init(task: task, labels: ModelDescription.relationLabels, links: sorted)
    case .events: self.init(task: task, labels: sorted, links: [ModelDescription.eventLink])
    }
  }

  package func label(_ name: String) -> Int? { labelIndices[name] }

  package func link(_ name: String) -> Int? { linkIndices[name] }

  /// An argument's label. A role with a slash would be taken for a part of the type when the label is read.
  private static func name(
    _ event: EventKey, _ argument: EventArgumentKey, _ document: Int
  ) throws(TrainingError) -> String {
    guard !event.type.isEmpty else { throw TrainingError("document \(document + 1): an event's type is empty") }
    guard !argument.role.isEmpty, !argument.role.contains("/") else {
      throw TrainingError(
        "document \(document + 1): role \"\(argument.role)\" of event type \"\(event.type)\" "
          + (argument.role.isEmpty ? "is empty" : "has a slash, which separates type and role; rename it"))
    }
    return "\(event.type)/\(argument.role)"
  }
}

/// The names in a data set. Swift takes "é" in one code point and in two for the same string; which of them a model would
/// show, and in which order, would then depend on chance, so a data set must spell a name in one way.
private struct NameSet {
  private let noun: String
  /// Each name by itself, as it is spelt.
  private var spellings: [String: String] = [:]

  /// - Parameter noun: what messages call a name.
  init(noun: String) { self.noun = noun }

  var isEmpty: Bool { spellings.isEmpty }

  /// By their bytes of UTF-8: the same order in every locale and language.
  var sorted: [String] { spellings.values.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }

  /// - Parameters:
  ///   - name: a name.
  ///   - document: the document it is in, from 0.
  /// - Throws: `TrainingError` if it is empty, or spelt in another way elsewhere.
  mutating func insert(_ name: String, _ document: Int) throws(TrainingError) {
    guard !name.isEmpty else { throw TrainingError("document \(document + 1): a \(noun) is empty") }
    let spelling = spellings[name] ?? name
    guard spelling.utf8.elementsEqual(name.utf8) else {
      throw TrainingError(
        "document \(document + 1): the \(noun) \"\(name)\" is written \(Self.codePoints(name)), and elsewhere "
          + "\(Self.codePoints(spelling)), which looks the same; write it in one way")
    }
    spellings[name] = spelling
  }

  private static func codePoints(_ name: String) -> String {
    name.unicodeScalars.map { "U+" + String($0.value, radix: 16, uppercase: true) }.joined(separator: " ")
  }
}
