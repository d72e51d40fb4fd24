internal import Foundation

/// Where results go: a file that appears under its name only when it is complete, or a stream.
///
/// A regular file is written beside its final place and renamed by ``commit()``. Without a commit,
/// whatever the reason, it is removed and an older file of that name stays as it was. Pipes and
/// devices such as `/dev/null` are written directly.
///
/// Creating one makes the process ignore `SIGPIPE`, so that a reader that leaves is an error
/// (``OutputError/readerLeft``) and not a sudden end.
final class OutputFile {
  private let name: String
  private let descriptor: FileDescriptor
  private let target: Target
  private let capacity: Int
  private var buffer: [UInt8] = []
  private var isCommitted = false

  private enum Target {
    case stream
    case replacing(path: String, temporary: String)
  }

  /// Opens the file; a `path` of nil or `-` is standard output. Writes are gathered up to
  /// `capacity` bytes, except for a terminal, which wants them at once.
  convenience init(path: String?, capacity: Int = 1 << 18) throws(OutputError) {
    guard let path, path != "-" else {
      self.init(stream: STDOUT_FILENO, capacity: isatty(STDOUT_FILENO) == 1 ? 0 : capacity)
      return
    }

    var status = stat()
    let exists = stat(path, &status) == 0
    let kind = status.st_mode & S_IFMT
    if exists && kind == S_IFDIR { throw OutputError(path: path, code: EISDIR) }
    if exists && kind != S_IFREG {
      guard let device = FileDescriptor(opening: path, flags: O_WRONLY) else {
        throw OutputError(path: path, code: errno)
      }
      self.init(name: path, descriptor: device, target: .stream, capacity: capacity)
      return
    }
    // An existing file that may not be written is not replaced behind its owner's back.
    if exists && access(path, W_OK) != 0 { throw OutputError(path: path, code: errno) }

    let final = Self.resolvingLinks(path)
    let (temporary, file) = try Self.openTemporary(beside: final, named: path)
    if exists { _ = fchmod(file.rawValue, status.st_mode & 0o7777) }
    self.init(
      name: path, descriptor: file, target: .replacing(path: final, temporary: temporary),
      capacity: capacity)
  }

  /// A descriptor that stays open: standard output, or a test's pipe.
  convenience init(stream: Int32, name: String = "<stdout>", capacity: Int = 1 << 18) {
    self.init(
      name: name, descriptor: FileDescriptor(borrowing: stream), target: .stream,
      capacity: capacity)
  }

  private init(name: String, descriptor: FileDescriptor, target: Target, capacity: Int) {
    signal(SIGPIPE, SIG_IGN)
    self.name = name
    self.descriptor = descriptor
    self.target = target
    self.capacity = capacity
  }

  deinit {
    guard !isCommitted else { return }
    switch target {
    case .stream: try? flush()  // what was finished before a failure is still of use
    case .replacing(_, let temporary): unlink(temporary)
    }
  }

  /// Whether a person reads along.
  var isTerminal: Bool { isatty(descriptor.rawValue) == 1 }

  /// Has an unfinished file removed also when Ctrl-C or `kill` ends the process. For the few outputs of a command.
  func removeWhenInterrupted() {
    guard case .replacing(_, let temporary) = target else { return }
    Unfinished.watch(temporary)
  }

  func write(_ bytes: some Collection<UInt8>) throws(OutputError) {
    buffer.append(contentsOf: bytes)
    if buffer.count >= capacity { try flush() }
  }

  /// Hands over what is gathered; worth a call before a wait for more input.
  func flush() throws(OutputError) {
    guard !buffer.isEmpty else { return }
    defer { buffer.removeAll(keepingCapacity: true) }
    try check(descriptor.writeAll(buffer))
  }

  /// Completes the output: everything is on the disk, and the file has its name.
  func commit() throws(OutputError) {
    guard !isCommitted else { return }
    try flush()
    if case .replacing(let path, let temporary) = target {
      // Some file systems report a full disk only here. Others cannot synchronise at all.
      if fsync(descriptor.rawValue) != 0, errno != EINVAL, errno != ENOTSUP {
        throw OutputError(path: name, code: errno)
      }
      try check(descriptor.close())
      try check(rename(temporary, path) == 0 ? 0 : errno)
    } else {
      try check(descriptor.close())
    }
    isCommitted = true
  }

  // MARK: Parts

  private func check(_ code: Int32) throws(OutputError) {
    if code != 0 { throw OutputError(path: name, code: code) }
  }

  /// The file that a symbolic link leads to, so that renaming does not replace the link.
  private static func resolvingLinks(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }  // it does not exist yet
    defer { free(resolved) }
    return String(cString: resolved)
  }

  /// The same folder as the final file, because a rename must not cross file systems.
  private static func openTemporary(
    beside path: String, named name: String
  ) throws(OutputError) -> (path: String, file: FileDescriptor) {
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { String(path[...$0]) } ?? ""
    let file = slash.map { path[path.index(after: $0)...] } ?? path[...]
    guard !file.isEmpty else { throw OutputError(path: name, code: EISDIR) }
    for _ in 0..<16 {
      let suffix = String(UInt32.random(in: 0 ... .max), radix: 36)
      let temporary = "\(folder).\(file.prefix(64)).\(suffix).partial"
      if let file = FileDescriptor(opening: temporary, flags: O_WRONLY | O_CREAT | O_EXCL) {
        return (temporary, file)
      }
      if errno != EEXIST { break }
    }
    throw OutputError(path: name, code: errno)
  }
}

/// The files to remove when a signal ends the process.
private enum Unfinished {
  private static let capacity = 4
  // A place is written once, before anything counts it; after a commit the name leads nowhere.
  private nonisolated(unsafe) static let paths = {
    let paths = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: capacity)
    paths.initialize(repeating: nil, count: capacity)
    return paths
  }()
  private nonisolated(unsafe) static var count = 0

  static func watch(_ file: String) {
    guard count < capacity, let path = strdup(file) else { return }
    paths[count] = path
    count += 1
    guard count == 1 else { return }
    for number in [SIGINT, SIGTERM, SIGHUP] {
      let previous = signal(number) { number in  // only calls that are safe in a handler
        for index in 0..<Unfinished.count {
          if let path = Unfinished.paths[index] { unlink(path) }
        }
        _ = signal(number, SIG_DFL)
        raise(number)
      }
      // A job in the background was started to ignore interrupts, and goes on doing so.
      if unsafeBitCast(previous, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) { _ = signal(number, SIG_IGN) }
    }
  }
}
