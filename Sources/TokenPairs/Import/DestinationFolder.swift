internal import Files
import Foundation
internal import ModelFiles

/// A directory that appears under its name when all its files are written, or not at all.
final class DestinationFolder {
  private let path: String
  private var staging: StagingFolder?

  /// Checks the name.
  /// - Throws: `ModelFileError` if something other than an empty directory has that name.
  init(_ path: String) throws(ModelFileError) {
    let path = try Self.name(path)
    if fileExists(path) {
      guard isDirectory(path) else { throw ModelFileError(file: path, problem: "exists and is not a directory") }
      let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [""]
      guard names.isEmpty else {
        throw ModelFileError(file: path, problem: "exists and is not empty; name a new directory")
      }
    }
    self.path = path
  }

  /// A directory's name without slashes at its end.
  /// - Throws: `ModelFileError` for a name that no new directory can have.
  static func name(_ path: String) throws(ModelFileError) -> String {
    var path = path
    while path.hasSuffix("/"), path.count > 1 { path.removeLast() }
    guard !path.isEmpty, path != "/" else {
      throw ModelFileError(file: path, problem: "is no name for a new directory")
    }
    return path
  }

  /// Lets `body` fill the directory, then gives it its name.
  /// - Throws: what `body` throws, or `ModelFileError` if the system refuses; what was written is removed then.
  func fill(_ body: (String) throws(ModelFileError) -> Void) throws(ModelFileError) {
    defer { staging = nil }
    let staging: StagingFolder
    do { staging = try StagingFolder(beside: path) } catch { throw refusal(error) }
    self.staging = staging
    try body(staging.path)
    do { try staging.commit(as: path) } catch { throw refusal(error) }
  }

  /// Writes a file of the directory that is being filled.
  func write(_ name: String, _ content: () throws -> Data) throws(ModelFileError) {
    guard let staging else { preconditionFailure("files are written while the directory is being filled") }
    do { try content().write(to: URL(fileURLWithPath: staging.file(name))) } catch {
      throw ModelFileError(file: "\(path)/\(name)", problem: "cannot be written: \(error.localizedDescription)")
    }
  }

  /// Copies a file into the directory that is being filled; of a link, the file that it leads to.
  func copy(_ file: String, as name: String) throws(ModelFileError) {
    let content = try fileContent(file)
    try write(name) { Data(content) }
  }

  private func refusal(_ error: WriteError) -> ModelFileError {
    ModelFileError(file: path, problem: "cannot be created: \(error.reason)")
  }
}
