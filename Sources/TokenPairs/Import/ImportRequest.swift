import Foundation
package import ModelFiles

/// What an import is to do: where a foreign checkpoint is, what it recognises, where the model goes.
package struct ImportRequest: Sendable {
  /// The checkpoint: a file (.safetensors, .npz) or a directory with one.
  package var source: String
  /// The directory to create.
  package var destination: String
  /// Where `config.json` and the tokenizer's files are looked for if they are not beside the checkpoint.
  package var base: String?
  /// The code that trained it.
  package var dialect: HeadDialect
  package var task: ModelTask
  /// The labels in the order of the head's matrices; for relations the two fixed ones.
  package var labels: [String]
  /// The predicates in the order of the link heads' matrices; empty for other tasks than relations.
  package var predicates: [String]
  /// The kind of head; found from the tensors' names if nil.
  package var kind: HeadKind?
  /// Channels of a query; found from the tensors' shapes if nil.
  package var headSize: Int?
  /// Whether the head that finds spans was trained with rotation.
  package var rope: Bool
  /// Names of layers in the checkpoint by their names in the model that is written, for those that are not found.
  package var layerNames: [String: String]

  package init(
    source: String, destination: String, base: String? = nil, dialect: HeadDialect, task: ModelTask,
    labels: [String], predicates: [String] = [], kind: HeadKind? = nil, headSize: Int? = nil, rope: Bool = true,
    layerNames: [String: String] = [:]
  ) {
    self.source = source
    self.destination = destination
    self.base = base
    self.dialect = dialect
    self.task = task
    self.labels = task == .relations ? ModelDescription.relationLabels : labels
    self.predicates = predicates
    self.kind = kind
    self.headSize = headSize
    self.rope = rope
    self.layerNames = layerNames
  }

  /// How many matrices a head has, and what they stand for in messages.
  func types(of role: HeadRole) -> (count: Int, noun: String) {
    guard role != .spans else { return (labels.count, "labels") }
    return (links.count, task == .events ? "links" : "predicates")
  }

  /// What pairs of spans are called.
  var links: [String] {
    switch task {
    case .entities: []
    case .relations: predicates
    case .events: [ModelDescription.eventLink]
    }
  }

  /// Refuses lists that no model can have.
  /// - Throws: `ImportError` that names the list and what is wrong with it.
  package func validate() throws(ImportError) {
    try Self.check(labels, "label")
    if task == .relations { try Self.check(predicates, "predicate") }
    guard task == .relations || predicates.isEmpty else {
      throw ImportError("a model of \(task.rawValue) has no predicates")
    }
    if task == .events {
      do { _ = try EventSchema(labels: labels) } catch { throw ImportError(error.description) }
    }
    if let headSize, headSize < 1 { throw ImportError("a head size of \(headSize) is not possible") }
  }

  private static func check(_ names: [String], _ noun: String) throws(ImportError) {
    guard !names.isEmpty else { throw ImportError("at least one \(noun) is needed") }
    var seen: Set<String> = []
    for name in names {
      guard !name.isEmpty else { throw ImportError("a \(noun) is empty") }
      guard seen.insert(name).inserted else { throw ImportError("\(noun) \"\(name)\" is given twice") }
    }
  }
}

/// What is wrong with a request, before any file is looked at.
package struct ImportError: Error, Hashable, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description.printable }
}

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
