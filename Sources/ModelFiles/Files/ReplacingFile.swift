import Foundation

/// A file that appears under its name when it is complete and on the disk, or not at all. An older file of that name
/// stays as it was until then, whatever happens in between.
package final class ReplacingFile {
  private let path: String
  /// Beside the target, because a rename does not cross file systems.
  private let temporary: String
  private var descriptor: Int32

  /// What the names of unfinished files end with: a process that was killed may leave some behind.
  package static let temporarySuffix = ".tmp"

  /// Starts to write.
  /// - Parameter path: the file's name in the end.
  /// - Throws: `ModelFileError` if the system refuses.
  package init(_ path: String) throws(ModelFileError) {
    self.path = path
    temporary = "\(path).\(UUID().uuidString)\(Self.temporarySuffix)"
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw Self.refusal(path, errno) }
    // Says that somebody is at work on it; the system takes it back when the process ends.
    _ = flock(descriptor, LOCK_EX | LOCK_NB)
  }

  /// Removes what processes that were killed have left of a file that they were writing.
  /// - Parameter path: the file's name in the end.
  package static func removeAbandoned(_ path: String) {
    let folder = directory(of: path)
    let prefix = String(path.split(separator: "/").last ?? "") + "."
    for name in (try? fileNames(in: folder)) ?? [] where name.hasPrefix(prefix) && name.hasSuffix(temporarySuffix) {
      let file = ModelFiles.path(folder, name)
      let descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
      guard descriptor >= 0 else { continue }
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { unlink(file) }
      close(descriptor)
    }
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    unlink(temporary)
  }

  /// Writes the next bytes.
  /// - Throws: `ModelFileError` if the system refuses, as it does when the disk is full.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(ModelFileError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = UnsafeRawBufferPointer(rebasing: rest)
      let count = Foundation.write(descriptor, part.baseAddress, part.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw Self.refusal(path, errno)
      }
      rest = rest.dropFirst(count)
    }
  }

  /// Writes the next bytes.
  /// - Throws: `ModelFileError` if the system refuses.
  package func write(_ bytes: [UInt8]) throws(ModelFileError) {
    try bytes.withUnsafeBufferPointer { (bytes) throws(ModelFileError) in try write(UnsafeRawBufferPointer(bytes)) }
  }

  /// Gives the file its name, once all of it is on the disk.
  /// - Throws: `ModelFileError` if the system refuses.
  package func commit() throws(ModelFileError) {
    // Some file systems report a full disk only here. Others cannot synchronise at all.
    if fsync(descriptor) != 0, errno != EINVAL, errno != ENOTSUP { throw Self.refusal(path, errno) }
    let isClosed = close(descriptor) == 0
    let code = errno
    descriptor = -1
    guard isClosed, rename(temporary, path) == 0 else {
      let code = isClosed ? errno : code
      unlink(temporary)
      throw Self.refusal(path, code)
    }
    synchronizeDirectory(directory(of: path))
  }

  private static func refusal(_ path: String, _ code: Int32) -> ModelFileError {
    ModelFileError(file: path, problem: "cannot be written: \(systemMessage(code))")
  }
}

/// Has a directory's names on the disk, so that a renamed file survives a loss of power. Where a file system cannot, it
/// goes without.
package func synchronizeDirectory(_ path: String) {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return }
  _ = fsync(descriptor)
  close(descriptor)
}
