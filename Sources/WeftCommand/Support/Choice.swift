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

  /// A seed.
  static func seed(_ text: String) throws -> UInt64 {
    guard let seed = UInt64(text) else {
      throw ValidationError("'\(text)' is no seed: a whole number from 0 to \(UInt64.max)")
    }
    return seed
  }

  /// Seeds separated by commas.
  static func seeds(_ text: String) throws -> [UInt64] {
    try text.split(separator: ",", omittingEmptySubsequences: false).map { try seed($0.trimmed) }
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
