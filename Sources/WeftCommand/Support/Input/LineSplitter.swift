internal import Foundation

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
