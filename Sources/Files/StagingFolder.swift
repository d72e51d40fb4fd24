internal import Foundation

/// A folder in which files are written before they appear where they belong.
///
/// It is removed with everything in it unless one of the commits is called. When a signal ends a process that has called
/// ``UnfinishedFiles/removeWhenInterrupted()``, the folder goes with the files that ``file(_:)`` named.
package final class StagingFolder {
  /// Where to write the files.
  package let path: String
  private var isCommitted = false
  private let unfinished: UnfinishedFiles.Entry
  private var files: [UnfinishedFiles.Entry] = []

  /// Makes a folder at a path.
  /// - Throws: `WriteError` if the system refuses, as it does when something has that name.
  package init(at path: String) throws(WriteError) {
    self.path = path
    unfinished = try Self.make(path, for: path)
  }

  /// Makes a hidden folder beside a folder that is to appear.
  /// - Throws: `WriteError` about the target if the system refuses.
  package init(beside target: String) throws(WriteError) {
    let (folder, name) = TemporaryName.parts(of: target)
    path = folder + TemporaryName.make(for: name)
    unfinished = try Self.make(path, for: target)
  }

  deinit {
    if !isCommitted { try? FileManager.default.removeItem(atPath: path) }
    forgetFiles()
    UnfinishedFiles.remove(unfinished)
  }

  private func forgetFiles() {
    for file in files { UnfinishedFiles.remove(file) }
    files = []
  }

  /// The path of a file that is to be written into the folder.
  package func file(_ name: String) -> String {
    let file = "\(path)/\(name)"
    files.append(UnfinishedFiles.add(file, .file))
    return file
  }

  private static func make(_ path: String, for target: String) throws(WriteError) -> UnfinishedFiles.Entry {
    let (entry, code) = UnfinishedFiles.make(path, .folder) { mkdir(path, 0o777) == 0 ? 0 : errno }
    guard code == 0 else {
      UnfinishedFiles.remove(entry)
      throw WriteError(path: target, code: code)
    }
    return entry
  }

  /// Gives the whole folder its name, which nothing but an empty folder may have.
  /// - Throws: `WriteError` if the system refuses.
  package func commit(as target: String) throws(WriteError) {
    guard rename(path, target) == 0 else { throw WriteError(path: target, code: errno) }
    isCommitted = true
  }

  /// Moves files into a folder, one after the other, in place of older ones of these names. What is left if one cannot
  /// be moved stays in this folder.
  /// - Parameters:
  ///   - names: The files, in the order in which they are moved.
  ///   - folder: The folder to move them into, on the same file system.
  /// - Throws: `WriteError` about the first file that the system refuses.
  package func commit(_ names: [String], into folder: String) throws(WriteError) {
    isCommitted = true
    forgetFiles()
    for name in names {
      let target = "\(folder)/\(name)"
      guard rename("\(path)/\(name)", target) == 0 else { throw WriteError(path: target, code: errno) }
    }
    synchronizeFolder(folder)
  }
}
