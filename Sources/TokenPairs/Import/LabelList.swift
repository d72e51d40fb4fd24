import Foundation
package import ModelFiles

/// Labels as a person gives them: a list with commas, or a file.
package enum LabelList {
  /// - Parameter text: `A,B,C`, or the path of a file: one label a line, a JSON array, or a JSON object of labels and
  ///   their numbers either way round (`label2id`, `id2label`).
  /// - Returns: the labels in the order of their numbers.
  /// - Throws: `ModelFileError` if the file cannot be read or its numbers are not 0, 1, 2, ….
  package static func read(_ text: String) throws(ModelFileError) -> [String] {
    guard fileExists(text) || [".txt", ".json"].contains(where: { text.hasSuffix($0) }) else {
      return text.split(separator: ",", omittingEmptySubsequences: false).map { trimmed($0) }
    }
    let bytes = try fileContent(text)
    guard let content = String(validating: bytes, as: UTF8.self) else {
      throw ModelFileError(file: text, problem: "is not UTF-8 text")
    }
    switch content.first(where: { !$0.isWhitespace }) {
    case "[", "{": return try labels(json: Data(bytes), file: text)
    default: return content.split(whereSeparator: \.isNewline).map { trimmed($0) }.filter { !$0.isEmpty }
    }
  }

  private static func labels(json: Data, file: String) throws(ModelFileError) -> [String] {
    let decoder = JSONDecoder()
    if let list = try? decoder.decode([String].self, from: json) { return list }
    var numbered: [(number: Int, label: String)]?
    if let numbers = try? decoder.decode([String: Int].self, from: json) {
      numbered = numbers.map { ($0.value, $0.key) }
    } else if let labels = try? decoder.decode([Int: String].self, from: json) {
      numbered = labels.map { ($0.key, $0.value) }
    }
    guard let numbered = numbered?.sorted(by: { $0.number < $1.number }) else {
      throw ModelFileError(file: file, problem: "is neither a JSON array of labels nor an object of labels and numbers")
    }
    guard numbered.map(\.number) == Array(numbered.indices) else {
      throw ModelFileError(file: file, problem: "the labels' numbers are not 0 to \(numbered.count - 1), each once")
    }
    return numbered.map(\.label)
  }

  private static func trimmed(_ text: Substring) -> String { text.trimmingCharacters(in: .whitespaces) }
}
