internal import Files
internal import Foundation
internal import Synchronization

/// A file that says that a driver is at work on a cached binary for the first time.
///
/// A driver that cannot use a binary may end the process instead of saying so (PoCL does, by an assertion), now or when
/// a kernel first runs. The marker is locked as long as its process lives, and removed when the driver has survived. One
/// without its lock is left over from a process that ended before.
final class LoadMarker: Sendable {
  private let path: String
  private let descriptor: Int32
  private let unfinished: UnfinishedFiles.Entry

  private static let suffix = ".loading"
  private static let lastNumber = Atomic(0)

  /// Marks the binary in a file.
  ///
  /// - Returns: the marker; nil where no file can be made or locked, such as in a folder that cannot be written: then
  ///   nothing can be noted.
  static func mark(_ binary: String) -> LoadMarker? {
    let number = lastNumber.wrappingAdd(1, ordering: .relaxed).newValue
    let path = "\(binary).\(getpid())-\(number)\(suffix)"
    // Someone who ends the process, as with Ctrl-C, says nothing about the driver.
    let (unfinished, descriptor) = UnfinishedFiles.make(path, .file) {
      open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    }
    guard descriptor >= 0 else {
      UnfinishedFiles.remove(unfinished)
      return nil
    }
    // Only with content does the marker count: until it is locked it looks like one that is left over.
    guard flock(descriptor, LOCK_EX) == 0, write(descriptor, "x", 1) == 1 else {
      unlink(path)
      close(descriptor)
      UnfinishedFiles.remove(unfinished)
      return nil
    }
    return LoadMarker(path: path, descriptor: descriptor, unfinished: unfinished)
  }

  private init(path: String, descriptor: Int32, unfinished: UnfinishedFiles.Entry) {
    self.path = path
    self.descriptor = descriptor
    self.unfinished = unfinished
  }

  /// Removes the marker.
  deinit {
    unlink(path)
    close(descriptor)
    UnfinishedFiles.remove(unfinished)
  }

  /// The markers of processes that died.
  static func leftOver(in directory: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    return names.filter { $0.hasSuffix(suffix) }.map { "\(directory)/\($0)" }.filter(isLeftOver)
  }

  /// Removes a marker that is left over, with the binary that it is about.
  static func remove(_ path: String) {
    // The binary's name comes before the process's number.
    if let dot = path.dropLast(suffix.count).lastIndex(of: ".") { unlink(String(path[..<dot])) }
    unlink(path)
  }

  private static func isLeftOver(_ path: String) -> Bool {
    let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var status = stat()
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, fstat(descriptor, &status) == 0 else { return false }
    // Without a name it has just been removed.
    return status.st_size > 0 && status.st_nlink > 0
  }
}
