internal import Foundation

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
