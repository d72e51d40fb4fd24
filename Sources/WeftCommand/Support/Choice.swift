import ArgumentParser

/// Reads options of many values. ArgumentParser's own message for those is a list over many lines.
enum Choice {
  /// A value by its name.
  static func named<Value: RawRepresentable & CaseIterable>(_ text: String) throws -> Value
  where Value.RawValue == String {
    guard let value = Value(rawValue: text) else {
      throw ValidationError("known are \(Value.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return value
  }

  /// Numbers separated by commas.
  static func list<Number: LosslessStringConvertible>(_ text: String) throws -> [Number] {
    try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
      let part = part.trimmed
      guard let number = Number(part) else { throw ValidationError("'\(part)' is not one of the numbers it takes") }
      return number
    }
  }
}

extension Substring {
  /// Without the spaces at both ends.
  fileprivate var trimmed: String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}
