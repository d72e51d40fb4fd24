internal import Files
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
  private let target: Target
  private let capacity: Int
  private var buffer: [UInt8] = []
  private var isCommitted = false

  private enum Target {
    case stream(FileDescriptor)
    case file(ReplacingFile)
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
      self.init(name: path, target: .stream(device), capacity: capacity)
      return
    }
    // An existing file that may not be written is not replaced behind its owner's back.
    if exists && access(path, W_OK) != 0 { throw OutputError(path: path, code: errno) }

    let permissions = exists ? UInt32(status.st_mode & 0o7777) : nil
    let file: ReplacingFile
    do { file = try ReplacingFile(Self.resolvingLinks(path), permissions: permissions) } catch {
      throw OutputError(path: path, code: error.code)
    }
    self.init(name: path, target: .file(file), capacity: capacity)
  }

  /// A descriptor that stays open: standard output, or a test's pipe.
  convenience init(stream: Int32, name: String = "<stdout>", capacity: Int = 1 << 18) {
    self.init(name: name, target: .stream(FileDescriptor(borrowing: stream)), capacity: capacity)
  }

  private init(name: String, target: Target, capacity: Int) {
    signal(SIGPIPE, SIG_IGN)
    self.name = name
    self.target = target
    self.capacity = capacity
  }

  deinit {
    // What was finished before a failure is still of use to a reader. An unfinished file is removed.
    if !isCommitted, case .stream = target { try? flush() }
  }

  /// Whether a person reads along.
  var isTerminal: Bool {
    if case .stream(let descriptor) = target { isatty(descriptor.rawValue) == 1 } else { false }
  }

  func write(_ bytes: some Collection<UInt8>) throws(OutputError) {
    buffer.append(contentsOf: bytes)
    if buffer.count >= capacity { try flush() }
  }

  /// Hands over what is gathered; worth a call before a wait for more input.
  func flush() throws(OutputError) {
    guard !buffer.isEmpty else { return }
    defer { buffer.removeAll(keepingCapacity: true) }
    switch target {
    case .stream(let descriptor): try check(descriptor.writeAll(buffer))
    case .file(let file):
      do { try file.write(buffer) } catch { throw OutputError(path: name, code: error.code) }
    }
  }

  /// Completes the output: everything is on the disk, and the file has its name.
  func commit() throws(OutputError) {
    guard !isCommitted else { return }
    try flush()
    switch target {
    case .stream(let descriptor): try check(descriptor.close())
    case .file(let file):
      do { try file.commit() } catch { throw OutputError(path: name, code: error.code) }
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
}
