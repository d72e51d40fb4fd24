import Foundation
import ModelFiles

extension ShownLine {
  /// Reads a line that `weft extract` wrote, or one of a file of true answers.
  ///
  /// Relations are read from "relations", or where there are none from "triples": of a file that has both, the
  /// first are what a model found and the second what is true.
  init(_ input: InputLine, offsets unit: OffsetUnit) throws {
    let bytes = try input.content.get()
    let line: JSONLine
    do { line = try JSONLine(bytes) } catch JSONLineError.missingText {
      guard let failure = try? JSONDecoder().decode(FailureItem.self, from: Data(bytes)) else {
        throw JSONLineError.missingText
      }
      self = .failure(line: failure.line, message: failure.error)
      return
    }
    self = .document(try ShownDocument(line, number: input.number, offsets: unit))
  }

  private struct FailureItem: Decodable {
    let line: Int
    let error: String
  }
}

extension ShownDocument {
  fileprivate init(_ line: JSONLine, number: Int, offsets unit: OffsetUnit) throws(LineFailure) {
    let offsets = TextOffsets(line.text, unit: unit)
    self.init(id: line.rawValue(named: "id").flatMap(Self.name), line: number, text: line.text)
    var mismatch: (String, String)?
    func place(_ start: Int, _ end: Int, _ stated: String?) throws(LineFailure) -> (range: Range<Int>, text: String) {
      let range = try offsets.codePoints(from: start, to: end)
      let text = offsets[range]
      if let stated, stated != text, mismatch == nil { mismatch = (stated, text) }
      return (range, text)
    }

    for item in try line.list(of: EntityItem.self, named: "entities") ?? [] {
      let range = try place(item.start, item.end, item.text).range
      entities.append(Entity(range: range, label: item.label, score: item.score, probability: item.probability))
    }
    var relationItems = try line.list(of: RelationItem.self, named: "relations")
    if relationItems == nil { relationItems = try line.list(of: RelationItem.self, named: "triples") }
    for item in relationItems ?? [] {
      func argument(_ end: SpanItem) throws(LineFailure) -> Argument {
        let (range, text) = try place(end.start, end.end, end.text)
        return Argument(range: range, label: end.label, text: text)
      }
      relations.append(
        Relation(
          subject: try argument(item.subject), predicate: item.predicate, object: try argument(item.object),
          score: item.score))
    }
    for item in try line.list(of: EventItem.self, named: "events") ?? [] {
      var roles: [Role] = []
      for argument in item.arguments {
        let (range, text) = try place(argument.start, argument.end, argument.text)
        roles.append(Role(role: argument.role, range: range, text: text, score: argument.score))
      }
      events.append(Event(type: item.type, arguments: Self.grouped(roles), score: item.score))
    }
    isTruncated = line.rawValue(named: "truncated").map { $0.elementsEqual("true".utf8) } ?? false
    self.mismatch = mismatch
  }

  /// The trigger first, then role by role, each where it was first named.
  private static func grouped(_ roles: [Role]) -> [Role] {
    var order = [Role.trigger: 0]
    for role in roles where order[role.role] == nil { order[role.role] = order.count }
    return roles.enumerated()
      .sorted { (order[$0.element.role] ?? 0, $0.offset) < (order[$1.element.role] ?? 0, $1.offset) }
      .map(\.element)
  }

  /// A string without its quotes; any other value as it was written.
  private static func name(_ raw: ArraySlice<UInt8>) -> String? {
    guard raw.first == UInt8(ascii: "\"") else {
      return raw.elementsEqual("null".utf8) ? nil : String(decoding: raw, as: UTF8.self)
    }
    return JSONString.decode(raw)
  }
}

private struct SpanItem: Decodable {
  let start: Int
  let end: Int
  let label: String?
  let text: String?
}

private struct EntityItem: Decodable {
  let start: Int
  let end: Int
  let label: String
  let text: String?
  let score: Double?
  let probability: Double?
}

private struct RelationItem: Decodable {
  let subject: SpanItem
  let predicate: String
  let object: SpanItem
  let score: Double?
}

private struct RoleItem: Decodable {
  let role: String
  let start: Int
  let end: Int
  let text: String?
  let score: Double?
}

private struct EventItem: Decodable {
  let type: String
  let arguments: [RoleItem]
  let score: Double?
}
