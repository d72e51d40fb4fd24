import TokenPairs

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
