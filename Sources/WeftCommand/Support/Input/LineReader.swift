internal import Foundation

/// Reads the lines of files and of standard input, one input after the other.
///
/// Reading blocks; from asynchronous code use ``AsyncInputLines``, which does it on a thread of
/// its own.
struct LineReader {
  /// Whether lines of nothing but whitespace are lines.
  enum BlankLines: Sendable {
    /// Counted, but not given out: JSONL.
    case skip
    /// Given out as empty texts: plain lines.
    case keep
  }

  /// 64 MiB: far beyond any document, far below any memory.
  static let defaultLimit = 64 << 20

  private let paths: [String]
  private let blankLines: BlankLines
  private let limit: Int
  private let chunkSize: Int
  private var nextPath = 0
  private var current: Source?
  private var number = 0

  private struct Source {
    var name: String
    var descriptor: FileDescriptor
    var splitter: LineSplitter
    var lineCount = 0
  }

  /// Checks every input, so that a misspelt name is met before any work is done.
  ///
  /// `-` among the `paths` is standard input, and so is an empty list. Lines of more than `limit`
  /// bytes are not kept.
  init(
    paths: [String], blankLines: BlankLines = .skip, limit: Int = defaultLimit,
    chunkSize: Int = 1 << 18
  ) throws(InputError) {
    self.paths = paths.isEmpty ? ["-"] : paths
    self.blankLines = blankLines
    self.limit = limit
    self.chunkSize = max(chunkSize, 1)
    for path in self.paths where path != "-" { try Self.check(path) }
  }

  /// The next lines, as many as one read brings, so that a slow pipe is answered at once.
  /// - Returns: at least one line, or nil at the end of the last input.
  /// - Throws: the input that failed, if it changed since it was checked.
  mutating func nextBatch() throws(InputError) -> [InputLine]? {
    while true {
      if current == nil {
        guard nextPath < paths.count else { return nil }
        current = try Self.open(paths[nextPath], limit: limit)
        nextPath += 1
      }
      let lines = try readOnce()
      if !lines.isEmpty { return lines }
    }
  }

  // MARK: Parts

  /// Looks without opening: opening a named pipe would wait for its writer.
  private static func check(_ path: String) throws(InputError) {
    var status = stat()
    guard stat(path, &status) == 0 else { throw InputError(path: path, reason: lastErrorText()) }
    guard status.st_mode & S_IFMT != S_IFDIR else {
      throw InputError(path: path, reason: "it is a directory")
    }
    guard access(path, R_OK) == 0 else { throw InputError(path: path, reason: lastErrorText()) }
  }

  private static func open(_ path: String, limit: Int) throws(InputError) -> Source {
    let splitter = LineSplitter(limit: limit)
    if path == "-" {
      return Source(
        name: "<stdin>", descriptor: FileDescriptor(borrowing: STDIN_FILENO), splitter: splitter)
    }
    guard let descriptor = FileDescriptor(opening: path, flags: O_RDONLY) else {
      throw InputError(path: path, reason: lastErrorText())
    }
    return Source(name: path, descriptor: descriptor, splitter: splitter)
  }

  private mutating func readOnce() throws(InputError) -> [InputLine] {
    guard var source = current else { return [] }
    var ended = false
    var reason: String?
    let found = withUnsafeTemporaryAllocation(byteCount: chunkSize, alignment: 16) {
      buffer -> [Result<[UInt8], LineTooLong>] in
      let count = source.descriptor.read(into: buffer)
      if count > 0 {
        return source.splitter.feed(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      }
      if count < 0 { reason = lastErrorText() }
      ended = true
      return source.splitter.finish().map { [$0] } ?? []
    }
    if let reason { throw InputError(path: source.name, reason: reason) }

    var lines: [InputLine] = []
    for content in found {
      number += 1
      source.lineCount += 1
      if blankLines == .skip, case .success(let bytes) = content, Self.isBlank(bytes) { continue }
      lines.append(
        InputLine(
          number: number, numberInSource: source.lineCount, source: source.name, content: content))
    }
    current = ended ? nil : source
    return lines
  }

  private static func isBlank(_ bytes: [UInt8]) -> Bool {
    bytes.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
  }
}
