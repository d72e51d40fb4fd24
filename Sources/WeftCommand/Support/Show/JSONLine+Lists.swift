import Foundation

extension JSONLine {
  /// A member that is a list of objects.
  /// - Returns: nil where the line has no such member, or null in its place.
  /// - Throws: the first thing that is wrong, and where: `"entities"[2] has no "label"`.
  func list<Item: Decodable>(of item: Item.Type, named name: String) throws(LineFailure) -> [Item]? {
    guard let raw = rawValue(named: name), !raw.elementsEqual("null".utf8) else { return nil }
    do { return try JSONDecoder().decode([Item].self, from: Data(raw)) } catch let error as DecodingError {
      throw LineFailure(message: Self.describe(error, in: name))
    } catch { throw LineFailure(message: "\"\(name)\" cannot be read") }
  }

  private static func describe(_ error: DecodingError, in name: String) -> String {
    func place(_ path: [any CodingKey]) -> String {
      path.reduce("\"\(name)\"") { place, key in place + (key.intValue.map { "[\($0)]" } ?? ".\(key.stringValue)") }
    }
    switch error {
    case .keyNotFound(let key, let context): return "\(place(context.codingPath)) has no \"\(key.stringValue)\""
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
      return "\(place(context.codingPath)) is not \(describe(type))"
    case .dataCorrupted(let context): return "\(place(context.codingPath)) is not a number that can be used"
    @unknown default: return "\"\(name)\" cannot be read"
    }
  }

  private static func describe(_ type: any Any.Type) -> String {
    switch type {
    case is Int.Type: "a whole number"
    case is Double.Type: "a number"
    case is String.Type: "a string"
    case is [Any].Type: "a list"
    default: "an object"
    }
  }
}
