import Foundation
import Testing

/// A JSON object as a test looks at it.
struct JSONObject {
  let members: [String: Any]

  init(_ text: String) throws {
    let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
    members = try #require(value as? [String: Any], "not an object: \(text)")
  }

  private init(members: [String: Any]) { self.members = members }

  var names: Set<String> { Set(members.keys) }

  func number(_ name: String) throws -> Double {
    try #require(members[name] as? NSNumber, "no number '\(name)'").doubleValue
  }

  func integer(_ name: String) throws -> Int {
    try #require(members[name] as? NSNumber, "no number '\(name)'").intValue
  }

  func string(_ name: String) throws -> String {
    try #require(members[name] as? String, "no string '\(name)'")
  }

  func object(_ name: String) throws -> JSONObject {
    JSONObject(members: try #require(members[name] as? [String: Any], "no object '\(name)'"))
  }

  func objects(_ name: String) throws -> [JSONObject] {
    try #require(members[name] as? [[String: Any]], "no list '\(name)'").map(Self.init(members:))
  }

  func integers(_ name: String) throws -> [Int] {
    try #require(members[name] as? [NSNumber], "no list '\(name)'").map(\.intValue)
  }

  func strings(_ name: String) throws -> [String] {
    try #require(members[name] as? [String], "no list '\(name)'")
  }

  /// A list of pairs.
  func pairs(_ name: String) throws -> [[Int]] {
    try #require(members[name] as? [[NSNumber]], "no list '\(name)'").map { $0.map(\.intValue) }
  }
}
