/// One object of a JSON file with what a message needs: the file's path and the way to the object.
///
/// The typed accessors return the default (or `nil`) for an absent or null field and refuse a field
/// of another type by name; a setting is never ignored because it was spelled in another type.
package struct JSONFields: Sendable {
  /// The path of the file.
  package let file: String
  /// The members in file order.
  package let members: [JSONMember]
  /// The way from the file's top to this object, such as `model.`; empty at the top.
  private let prefix: String

  /// Reads a file whose top level is a JSON object.
  /// - Throws: `ModelFileError` if the file cannot be read or is not such a text.
  package init(file: String) throws(ModelFileError) {
    try self.init(file: file, value: try JSONValue(parsing: try fileContent(file), file: file))
  }

  /// Reads an object from a line of a file.
  /// - Parameters:
  ///   - line: The text of the line.
  ///   - file: What an error should say it is about.
  /// - Throws: `ModelFileError` if the line is no object.
  package init(line: [UInt8], of file: String) throws(ModelFileError) {
    let value: JSONValue
    do { value = try line.withUnsafeBytes { try JSONValue(parsing: $0) } } catch {
      throw ModelFileError(file: file, problem: "not valid JSON")
    }
    try self.init(file: file, value: value)
  }

  private init(file: String, value: JSONValue) throws(ModelFileError) {
    guard case .object(let members) = value else {
      throw ModelFileError(file: file, problem: "an object expected, \(value.kind) found")
    }
    self.init(file: file, members: members, prefix: "")
  }

  private init(file: String, members: [JSONMember], prefix: String) {
    self.file = file
    self.members = members
    self.prefix = prefix
  }

  /// The value of a field; `nil` if it is absent or null.
  package subscript(_ name: String) -> JSONValue? {
    guard let value = members.first(where: { $0.name.hasSameBytes(as: name) })?.value else {
      return nil
    }
    if case .null = value { return nil }
    return value
  }

  /// An error about one field of this object.
  package func error(_ name: String, _ problem: String) -> ModelFileError {
    ModelFileError(file: file, subject: "field \((prefix + name).quoted)", problem: problem)
  }

  /// The value of a field that must be there.
  package func required(_ name: String) throws(ModelFileError) -> JSONValue {
    guard let value = self[name] else { throw error(name, "is missing") }
    return value
  }

  /// A string; `nil` if absent or null.
  package func string(_ name: String) throws(ModelFileError) -> String? {
    switch self[name] {
    case nil: return nil
    case .string(let text)?: return text
    case let other?: throw error(name, "a string expected, \(other.kind) found")
    }
  }

  /// A boolean; `nil` if absent or null.
  package func bool(_ name: String) throws(ModelFileError) -> Bool? {
    switch self[name] {
    case nil: return nil
    case .bool(let flag)?: return flag
    case let other?: throw error(name, "true or false expected, \(other.kind) found")
    }
  }

  /// An integer within `range`; `nil` if absent or null.
  package func integer(
    _ name: String, in range: ClosedRange<Int>
  ) throws(ModelFileError) -> Int? {
    switch self[name] {
    case nil: return nil
    case .integer(let value)?:
      guard range.contains(value) else {
        throw error(
          name, "\(value) is not between \(range.lowerBound) and \(range.upperBound)")
      }
      return value
    case let other?: throw error(name, "an integer expected, \(other.kind) found")
    }
  }

  /// A finite number; `nil` if absent or null.
  package func number(_ name: String) throws(ModelFileError) -> Double? {
    switch self[name] {
    case nil: return nil
    case .integer(let value)?: return Double(value)
    case .number(let value)?:
      guard value.isFinite else { throw error(name, "\(value) is not a finite number") }
      return value
    case let other?: throw error(name, "a number expected, \(other.kind) found")
    }
  }

  /// An object; `nil` if absent or null.
  package func object(_ name: String) throws(ModelFileError) -> JSONFields? {
    switch self[name] {
    case nil: return nil
    case .object(let members)?:
      return JSONFields(file: file, members: members, prefix: "\(prefix)\(name).")
    case let other?: throw error(name, "an object expected, \(other.kind) found")
    }
  }

  /// An array; `nil` if absent or null.
  package func array(_ name: String) throws(ModelFileError) -> [JSONValue]? {
    switch self[name] {
    case nil: return nil
    case .array(let elements)?: return elements
    case let other?: throw error(name, "an array expected, \(other.kind) found")
    }
  }

  /// An array of objects; `nil` if absent or null.
  package func objects(_ name: String) throws(ModelFileError) -> [JSONFields]? {
    guard let elements = try array(name) else { return nil }
    var objects: [JSONFields] = []
    for (index, element) in elements.enumerated() {
      guard case .object(let members) = element else {
        throw error("\(name)[\(index)]", "an object expected, \(element.kind) found")
      }
      objects.append(
        JSONFields(file: file, members: members, prefix: "\(prefix)\(name)[\(index)]."))
    }
    return objects
  }

  /// An array of integers within `range`; `nil` if absent or null.
  package func integers(_ name: String, in range: ClosedRange<Int>) throws(ModelFileError) -> [Int]? {
    guard let elements = try array(name) else { return nil }
    var integers: [Int] = []
    for (index, element) in elements.enumerated() {
      guard case .integer(let value) = element, range.contains(value) else {
        throw error("\(name)[\(index)]", "an integer from \(range.lowerBound) to \(range.upperBound) expected")
      }
      integers.append(value)
    }
    return integers
  }

  /// An array of strings; `nil` if absent or null.
  package func strings(_ name: String) throws(ModelFileError) -> [String]? {
    guard let elements = try array(name) else { return nil }
    var strings: [String] = []
    for (index, element) in elements.enumerated() {
      guard case .string(let text) = element else {
        throw error("\(name)[\(index)]", "a string expected, \(element.kind) found")
      }
      strings.append(text)
    }
    return strings
  }
}
