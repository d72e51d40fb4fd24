package import Files

/// A model file that cannot be used: which file, which part of it, and what is wrong.
///
/// Everything that reads a model's files throws this one type. The three parts are plain text for
/// people; nothing in them is meant to be parsed.
public struct ModelFileError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The path of the file, or of the directory when a file is missing from it.
  public let file: String

  /// The tensor or field concerned, described with its kind, such as `tensor 'encoder.weight'`;
  /// `nil` when the whole file is meant.
  public let subject: String?

  /// What is wrong and, where that helps, what to do about it.
  public let problem: String

  /// Describes a fault of a model file.
  /// - Parameters:
  ///   - file: The path of the file.
  ///   - subject: The tensor or field concerned, with its kind.
  ///   - problem: What is wrong, as the rest of a sentence.
  public init(file: String, subject: String? = nil, problem: String) {
    self.file = file
    self.subject = subject
    self.problem = problem
  }

  /// One line: `path: tensor 'x': shape [2, 3] expected, [3, 2] found`. Control characters are escaped.
  public var description: String {
    guard let subject else { return "\(file): \(problem)".printable }
    return "\(file): \(subject): \(problem)".printable
  }
}

extension ModelFileError {
  /// A file that the system does not let be written.
  package init(_ error: WriteError) {
    self.init(file: error.path, problem: "cannot be written: \(error.reason)")
  }
}

/// Writes a file that appears under its name when it is complete.
/// - Throws: `ModelFileError` if the system refuses.
package func writeFile(_ bytes: [UInt8], to path: String) throws(ModelFileError) {
  do throws(WriteError) {
    let file = try ReplacingFile(path)
    try file.write(bytes)
    try file.commit()
  } catch { throw ModelFileError(error) }
}
