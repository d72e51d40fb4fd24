internal import Foundation

/// A file or folder that the system does not let be written.
package struct WriteError: Error, Equatable, Sendable {
  /// The path that was to be written.
  package let path: String
  /// The system's error number.
  package let code: Int32

  /// An error with its number.
  package init(path: String, code: Int32) { (self.path, self.code) = (path, code) }

  /// The system's words for the error number.
  package var reason: String { String(cString: strerror(code)) }
}

/// A file that appears under its name when it is complete, or not at all. An older file of that name stays as it was
/// until then.
///
/// The bytes go to a hidden file beside the target, since a rename does not cross file systems. It is removed unless
/// ``commit()`` succeeds, also when a signal ends a process that has called ``UnfinishedFiles/removeWhenInterrupted()``.
package final class ReplacingFile {
  private let path: String
  private let temporary: String
  private let isDurable: Bool
  private var descriptor: Int32
  private let unfinished: UnfinishedFiles.Entry

  /// Starts to write.
  /// - Parameters:
  ///   - path: The file's name in the end. A symbolic link of that name is replaced, not followed.
  ///   - permissions: The file's mode bits; 0666 less the process's mask if nil.
  ///   - isDurable: Whether a commit waits until the bytes and the name are on the disk. Without, a crash of the
  ///     machine may leave a damaged file.
  /// - Throws: `WriteError` if the system refuses.
  package init(_ path: String, permissions: UInt32? = nil, isDurable: Bool = true) throws(WriteError) {
    self.path = path
    self.isDurable = isDurable
    let (folder, name) = TemporaryName.parts(of: path)
    guard !name.isEmpty else { throw WriteError(path: path, code: EISDIR) }
    temporary = folder + TemporaryName.make(for: name)
    let mode = mode_t(truncatingIfNeeded: permissions ?? 0o666)
    let code: Int32
    (unfinished, (descriptor, code)) = UnfinishedFiles.make(temporary, .file) { [temporary] in
      let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode & 0o777)
      return (descriptor, errno)
    }
    guard descriptor >= 0 else {
      UnfinishedFiles.remove(unfinished)
      throw WriteError(path: path, code: code)
    }
    // The mask may have taken bits away.
    if let permissions { _ = fchmod(descriptor, mode_t(truncatingIfNeeded: permissions)) }
    // Tells other processes that the file is in use. The system releases the lock when the process ends.
    _ = flock(descriptor, LOCK_EX | LOCK_NB)
  }

  deinit {
    if descriptor >= 0 {
      close(descriptor)
      unlink(temporary)
    }
    UnfinishedFiles.remove(unfinished)
  }

  /// Writes the next bytes.
  /// - Throws: `WriteError` if the system refuses, as it does when the disk is full.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(WriteError) {
    let code = writeAll(bytes, to: descriptor)
    if code != 0 { throw WriteError(path: path, code: code) }
  }

  /// Writes the next bytes.
  /// - Throws: `WriteError` if the system refuses.
  package func write(_ bytes: [UInt8]) throws(WriteError) {
    try bytes.withUnsafeBufferPointer { (bytes) throws(WriteError) in try write(UnsafeRawBufferPointer(bytes)) }
  }

  /// Gives the file its name. Nothing may be written afterwards.
  /// - Throws: `WriteError` if the system refuses.
  package func commit() throws(WriteError) {
    // Some file systems report a full disk only here. Others cannot synchronise at all.
    if isDurable, fsync(descriptor) != 0, errno != EINVAL, errno != ENOTSUP {
      throw WriteError(path: path, code: errno)
    }
    let isClosed = close(descriptor) == 0
    let code = errno
    descriptor = -1
    guard isClosed, rename(temporary, path) == 0 else {
      let code = isClosed ? errno : code
      unlink(temporary)
      throw WriteError(path: path, code: code)
    }
    guard isDurable else { return }
    let folder = TemporaryName.parts(of: path).folder
    synchronizeFolder(folder.isEmpty ? "." : folder)
  }

  /// The name of the file that a process was writing, cut to 64 characters, from the name of its hidden file; nil for
  /// any other name.
  package static func target(ofUnfinished name: String) -> String? { TemporaryName.target(of: name) }

  /// Removes the unfinished files that killed processes left of a target. A file that is still being written stays.
  /// - Parameter path: the file's name in the end.
  package static func removeAbandoned(_ path: String) {
    let (folder, name) = TemporaryName.parts(of: path)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []
    for unfinished in names where TemporaryName.target(of: unfinished) == String(name.prefix(TemporaryName.limit)) {
      let file = folder + unfinished
      let descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
      guard descriptor >= 0 else { continue }
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { unlink(file) }
      close(descriptor)
    }
  }
}

/// Writes all bytes, repeating calls that a signal interrupted.
/// - Returns: 0, or the system's error number.
package func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32 {
  var rest = bytes[...]
  while !rest.isEmpty {
    let part = UnsafeRawBufferPointer(rebasing: rest)
    let count = write(descriptor, part.baseAddress, part.count)
    if count < 0 {
      if errno == EINTR { continue }
      return errno
    }
    rest = rest.dropFirst(count)
  }
  return 0
}

/// Waits until the names in a folder are on the disk, so that a renamed file survives a loss of power. Does nothing on
/// file systems that cannot.
package func synchronizeFolder(_ path: String) {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return }
  _ = fsync(descriptor)
  close(descriptor)
}

/// The hidden names under which files and folders are written: `.NAME.RANDOM.partial`.
enum TemporaryName {
  /// Characters of the target's name that are kept, so that the whole stays below the system's limit.
  static let limit = 64
  private static let suffix = ".partial"

  static func make(for name: String) -> String {
    ".\(name.prefix(limit)).\(String(UInt64.random(in: 0 ... .max), radix: 36))\(suffix)"
  }

  /// The name that a hidden name was made for, cut to the limit; nil if it is none of these.
  static func target(of name: String) -> String? {
    guard name.hasPrefix("."), name.hasSuffix(suffix) else { return nil }
    let rest = name.dropFirst().dropLast(suffix.count)
    return rest.lastIndex(of: ".").map { String(rest[..<$0]) }
  }

  /// A path's folder, with the slash that ends it, and its last part.
  static func parts(of path: String) -> (folder: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return ("", path) }
    return (String(path[...slash]), String(path[path.index(after: slash)...]))
  }
}
