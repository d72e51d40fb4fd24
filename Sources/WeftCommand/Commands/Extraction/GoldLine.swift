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

  /// - Throws: `LineFailure`.
  func entities() throws -> Set<EntityKey> {
    struct Entity: Decodable {
      let start, end: Int
      let label: String
    }
    let entities = try members(["entities"], as: Entity.self, form: #"{"start", "end", "label"}"#)
    return try Set(entities.map { EntityKey(range: try place("an entity", $0.start, $0.end), label: $0.label) })
  }

  /// - Throws: `LineFailure`.
  func relations() throws -> Set<RelationKey> {
    struct Span: Decodable { let start, end: Int }
    struct Relation: Decodable {
      let subject, object: Span
      let predicate: String
    }
    let relations = try members(
      ["relations", "triples"], as: Relation.self, form: #"{"subject": {"start", "end"}, "predicate", "object": {…}}"#)
    return try Set(
      relations.map {
        RelationKey(
          subject: try place("a subject", $0.subject.start, $0.subject.end), predicate: $0.predicate,
          object: try place("an object", $0.object.start, $0.object.end))
      })
  }

  /// - Throws: `LineFailure`.
  func events() throws -> [EventKey] {
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
        arguments: try event.arguments.map {
          let range = try place("an argument", $0.start, $0.end)
          return EventArgumentKey(
            role: $0.role, range: range, text: String(String.UnicodeScalarView(scalars[range])),
            aliases: $0.aliases ?? [])
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

  private func place(_ what: String, _ start: Int, _ end: Int) throws -> Range<Int> {
    guard 0 <= start, start < end, end <= scalars.count else {
      throw LineFailure(
        message: "\(what) from \(start) to \(end) does not lie in a text of \(scalars.count) code points")
    }
    return start..<end
  }
}
