import Foundation
import TokenPairs

/// What a line says is true of its text.
struct GoldLine {
  private let line: JSONLine
  private let scalars: [Unicode.Scalar]

  init(_ line: JSONLine) {
    self.line = line
    scalars = Array(line.text.unicodeScalars)
  }

  /// What is true for a task.
  /// - Throws: `LineFailure` if the line does not say it, or names a place that its text does not have.
  func gold(of task: ModelTask) throws -> TrainingDocument.Gold {
    try gold(of: task) { what, start, end in
      throw LineFailure(
        message: "\(what) from \(start) to \(end) does not lie in a text of \(scalars.count) code points")
    }
  }

  /// What is true for a task, as something to learn from: what names a place that the text does not have is left out and
  /// counted.
  /// - Throws: `LineFailure` if the line does not say what is true.
  func document(for task: ModelTask) throws -> TrainingDocument {
    var unusable = 0
    let gold = try gold(of: task) { _, _, _ in unusable += 1 }
    return TrainingDocument(text: line.text, gold: gold, unusableLabels: unusable)
  }

  // `misplaced` is told of each place that the text does not have, and may refuse the line for it.
  private func gold(
    of task: ModelTask, misplaced: (_ what: String, _ start: Int, _ end: Int) throws -> Void
  ) throws -> TrainingDocument.Gold {
    func place(_ what: String, _ span: Span) throws -> Range<Int>? {
      guard 0 <= span.start, span.start < span.end, span.end <= scalars.count else {
        try misplaced(what, span.start, span.end)
        return nil
      }
      return span.start..<span.end
    }
    switch task {
    case .entities: return .entities(try entities(place))
    case .relations: return .relations(try relations(place))
    case .events: return .events(try events(place))
    }
  }

  private typealias Placing = (_ what: String, _ span: Span) throws -> Range<Int>?

  private struct Span: Decodable { let start, end: Int }

  private func entities(_ place: Placing) throws -> Set<EntityKey> {
    struct Entity: Decodable {
      let start, end: Int
      let label: String
    }
    let entities = try members(["entities"], as: Entity.self, form: #"{"start", "end", "label"}"#)
    return try Set(
      entities.compactMap { entity in
        try place("an entity", Span(start: entity.start, end: entity.end)).map {
          EntityKey(range: $0, label: entity.label)
        }
      })
  }

  private func relations(_ place: Placing) throws -> Set<RelationKey> {
    struct Relation: Decodable {
      let subject, object: Span
      let predicate: String
    }
    let relations = try members(
      ["relations", "triples"], as: Relation.self, form: #"{"subject": {"start", "end"}, "predicate", "object": {…}}"#)
    return try Set(
      relations.compactMap { relation in
        // Both, so that each misplaced one is counted.
        let subject = try place("a subject", relation.subject)
        let object = try place("an object", relation.object)
        guard let subject, let object else { return nil }
        return RelationKey(subject: subject, predicate: relation.predicate, object: object)
      })
  }

  private func events(_ place: Placing) throws -> [EventKey] {
    struct Argument: Decodable {
      let role: String
      let start, end: Int
      let aliases: [String]?
    }
    struct Event: Decodable {
      let type: String
      let arguments: [Argument]
    }
    let events = try members(
      ["events"], as: Event.self, form: #"{"type", "arguments": [{"role", "start", "end"}]}"#)
    return try events.map { event in
      EventKey(
        type: event.type,
        arguments: try event.arguments.compactMap { argument in
          try place("an argument", Span(start: argument.start, end: argument.end)).map {
            EventArgumentKey(
              role: argument.role, range: $0, text: String(String.UnicodeScalarView(scalars[$0])),
              aliases: argument.aliases ?? [])
          }
        })
    }
  }

  private func members<Member: Decodable>(_ names: [String], as type: Member.Type, form: String) throws -> [Member] {
    for name in names {
      guard let raw = line.rawValue(named: name) else { continue }
      guard let members = try? JSONDecoder().decode([Member].self, from: Data(raw)) else {
        throw LineFailure(message: "\"\(name)\" is not a list of \(form)")
      }
      return members
    }
    throw LineFailure(message: "no \(names.map { "\"\($0)\"" }.joined(separator: " or ")) member")
  }
}

/// Reads texts and what is true of them.
enum TrainingData {
  /// A file's documents. What a line says of a place that its text does not have is counted, not refused; a line that
  /// does not say what is true would be a text to learn nothing from, and is refused.
  /// - Parameters:
  ///   - path: JSON lines; `-` is standard input.
  ///   - task: which of what is true is wanted.
  /// - Returns: at least one document.
  /// - Throws: `InputError` that names the file, and the line if one is at fault.
  static func read(_ path: String, task: ModelTask) async throws -> [TrainingDocument] {
    var documents: [TrainingDocument] = []
    for try await input in AsyncInputLines(try LineReader(paths: [path])) {
      do {
        documents.append(try GoldLine(JSONLine(try input.content.get())).document(for: task))
      } catch {
        let reason = (error as? LineFailure)?.message ?? "\(error)"
        throw InputError(path: path, reason: "line \(input.numberInSource): \(reason)")
      }
    }
    guard !documents.isEmpty else { throw InputError(path: path, reason: "there is no line in it") }
    return documents
  }
}
