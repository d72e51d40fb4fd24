internal import Dispatch
internal import Foundation
internal import ModelFiles

/// One line of input as bytes, without its line break.
struct InputLine: Sendable, Equatable {
  /// Counted from 1 through all inputs, as if they were one file.
  var number: Int
  /// Counted from 1 inside its own input; what a message should show beside ``source``.
  var numberInSource: Int
  /// The path as the user gave it, or `<stdin>`.
  var source: String
  /// The bytes, or why they were not kept.
  var content: Result<[UInt8], LineTooLong>
}

/// A line that passed the limit. Reading went on behind it.
struct LineTooLong: Error, Equatable, CustomStringConvertible {
  var limit: Int

  var description: String { "the line is longer than \(limit) bytes" }
}

/// An input that cannot be read.
struct InputError: Error, Equatable, CustomStringConvertible {
  var path: String
  var reason: String

  var description: String { "cannot read \(path.printable): \(reason)" }
}

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

  /// 64 MiB: larger than any document, and small beside a machine's memory.
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

/// Cuts a stream of chunks into lines. A pure value: it reads nothing.
///
/// A line ends at a line feed; one carriage return before it belongs to the line break. The last
/// line needs no line break. A byte order mark at the start is dropped.
struct LineSplitter {
  private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

  /// Longest line that is kept, in bytes.
  let limit: Int
  private var pending: [UInt8] = []
  private var isSkipping = false  // the line passed the limit; its rest is thrown away
  private var isFirstLine = true

  init(limit: Int) { self.limit = limit }

  /// Takes the next chunk.
  /// - Returns: the lines that ended in it.
  mutating func feed(_ chunk: UnsafeRawBufferPointer) -> [Result<[UInt8], LineTooLong>] {
    var lines: [Result<[UInt8], LineTooLong>] = []
    var rest = chunk[...]
    while let lineFeed = Self.firstLineFeed(in: rest) {
      append(rest[..<lineFeed])
      lines.append(takeLine())
      rest = rest[(lineFeed + 1)...]
    }
    append(rest)
    return lines
  }

  /// Takes the end of the input.
  /// - Returns: the last line, if it had no line break.
  mutating func finish() -> Result<[UInt8], LineTooLong>? {
    let isBareMark = isFirstLine && pending == Self.byteOrderMark
    return (pending.isEmpty || isBareMark) && !isSkipping ? nil : takeLine()
  }

  private static func firstLineFeed(in bytes: Slice<UnsafeRawBufferPointer>) -> Int? {
    let buffer = UnsafeRawBufferPointer(rebasing: bytes)
    guard let base = buffer.baseAddress, let found = memchr(base, 0x0A, buffer.count) else {
      return nil
    }
    return bytes.startIndex + (UnsafeRawPointer(found) - base)
  }

  private mutating func append(_ bytes: Slice<UnsafeRawBufferPointer>) {
    guard !isSkipping else { return }
    // Room for a byte order mark and a carriage return, which are not part of the line.
    guard pending.count + bytes.count <= limit + 4 else {
      isSkipping = true
      pending = []
      return
    }
    pending.append(contentsOf: bytes)
  }

  private mutating func takeLine() -> Result<[UInt8], LineTooLong> {
    defer {
      pending.removeAll()
      isSkipping = false
      isFirstLine = false
    }
    if pending.last == 0x0D { pending.removeLast() }
    if isFirstLine, pending.starts(with: Self.byteOrderMark) { pending.removeFirst(3) }
    return isSkipping || pending.count > limit
      ? .failure(LineTooLong(limit: limit)) : .success(pending)
  }
}

/// The lines of a ``LineReader`` as an asynchronous sequence.
///
/// The reads block, so they run on a queue of their own and never hold a thread of the
/// cooperative pool. No more than one chunk is read ahead. It can be iterated once.
struct AsyncInputLines: AsyncSequence, Sendable {
  private let source: Source

  init(_ reader: sending LineReader) { source = Source(reader) }

  func makeAsyncIterator() -> Iterator { Iterator(source: source) }

  struct Iterator: AsyncIteratorProtocol {
    fileprivate let source: Source
    private var batch: ArraySlice<InputLine> = []

    fileprivate init(source: Source) { self.source = source }

    mutating func next() async throws(InputError) -> InputLine? {
      if batch.isEmpty {
        guard let lines = try await source.nextBatch() else { return nil }
        batch = lines[...]
      }
      return batch.popFirst()
    }
  }

  /// Owns the reader; its executor is the queue.
  fileprivate actor Source {
    private var reader: LineReader
    private let executor = QueueExecutor(label: "weft.input")

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(_ reader: sending LineReader) { self.reader = reader }

    func nextBatch() throws(InputError) -> [InputLine]? { try reader.nextBatch() }
  }
}

/// Runs an actor on one dispatch queue, where it may block.
private final class QueueExecutor: SerialExecutor {
  private let queue: DispatchQueue

  init(label: String) { queue = DispatchQueue(label: label) }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let executor = asUnownedSerialExecutor()
    queue.async { job.runSynchronously(on: executor) }
  }

  func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }
}

/// Counts lines ahead of a run, so that a progress bar knows its end.
enum LineCount {
  /// The lines that a ``LineReader`` would give out.
  ///
  /// - Returns: nil if an input is not a regular file, cannot be read, or all together are larger
  ///   than `byteLimit`: then the wait would not be worth it.
  static func count(
    in paths: [String], blankLines: LineReader.BlankLines, byteLimit: Int = 4 << 30
  ) -> Int? {
    guard !paths.isEmpty else { return nil }
    var bytes = 0
    for path in paths {
      var status = stat()
      guard path != "-", stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
        return nil
      }
      bytes += Int(status.st_size)
    }
    guard bytes <= byteLimit else { return nil }

    var total = 0
    for path in paths {
      guard let lines = count(in: path, blankLines: blankLines) else { return nil }
      total += lines
    }
    return total
  }

  private static func count(in path: String, blankLines: LineReader.BlankLines) -> Int? {
    guard let file = FileDescriptor(opening: path, flags: O_RDONLY) else { return nil }
    return withUnsafeTemporaryAllocation(byteCount: 1 << 18, alignment: 16) { buffer -> Int? in
      var lines = 0
      var hasBytes = false
      var hasContent = false
      while true {
        let count = file.read(into: buffer)
        if count < 0 { return nil }
        if count == 0 { break }
        for byte in buffer[..<count] {
          if byte == 0x0A {
            if hasContent || blankLines == .keep { lines += 1 }
            (hasBytes, hasContent) = (false, false)
          } else {
            hasBytes = true
            if byte != 0x20 && byte != 0x09 && byte != 0x0D { hasContent = true }
          }
        }
      }
      if hasContent || (hasBytes && blankLines == .keep) { lines += 1 }
      return lines
    }
  }
}
