internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// A file that says that a driver is at work on a cached binary for the first time.
///
/// A driver that cannot use a binary may end the process instead of saying so (PoCL does, by an assertion), now or when
/// a kernel first runs. The marker is locked as long as its process lives, and removed when the driver has survived. One
/// without its lock is left over from a process that ended before.
final class LoadMarker: Sendable {
  private let path: String
  private let descriptor: Int32

  private static let suffix = ".loading"
  private static let lastNumber = Atomic(0)

  /// Marks the binary in a file.
  ///
  /// - Returns: the marker; nil where no file can be made or locked, such as in a folder that cannot be written: then
  ///   nothing can be noted.
  static func mark(_ binary: String) -> LoadMarker? {
    let number = lastNumber.wrappingAdd(1, ordering: .relaxed).newValue
    let path = "\(binary).\(getpid())-\(number)\(suffix)"
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return nil }
    // Only with content does the marker count: until it is locked it looks like one that is left over.
    guard flock(descriptor, LOCK_EX) == 0, write(descriptor, "x", 1) == 1 else {
      unlink(path)
      close(descriptor)
      return nil
    }
    return LoadMarker(path: path, descriptor: descriptor)
  }

  private init(path: String, descriptor: Int32) {
    self.path = path
    self.descriptor = descriptor
  }

  /// Removes the marker.
  deinit {
    unlink(path)
    close(descriptor)
  }

  /// The markers of processes that died.
  static func leftOver(in directory: String) -> [String] {
    guard let stream = opendir(directory) else { return [] }
    defer { closedir(stream) }
    var paths: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      let path = "\(directory)/\(name)"
      if name.hasSuffix(suffix), isLeftOver(path) { paths.append(path) }
    }
    return paths
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
