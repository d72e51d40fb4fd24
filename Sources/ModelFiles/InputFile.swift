import Foundation
internal import Memory

/// A regular file that is open for reading.
///
/// Every file of this module is read through here, so that a directory, a pipe or a device is refused in one place.
///
/// Files are read, not mapped: where someone cuts a mapped file short, touching the lost part ends the process with
/// SIGBUS, while a read comes back short. After every read the file's size and time of change are those from when it was
/// opened, or what was read is not used: all of a file's parts belong together.
package final class InputFile: Sendable {
  /// Where the file lies, as the caller gave it.
  package let path: String
  /// The file's length in bytes.
  package let count: Int

  private let descriptor: Int32
  /// When the content was last changed.
  private let changed: ChangeTime

  private struct ChangeTime: Equatable {
    let seconds: Int
    let nanoseconds: Int

    init(_ status: stat) {
      #if canImport(Darwin)
        (seconds, nanoseconds) = (Int(status.st_mtimespec.tv_sec), Int(status.st_mtimespec.tv_nsec))
      #else
        (seconds, nanoseconds) = (Int(status.st_mtim.tv_sec), Int(status.st_mtim.tv_nsec))
      #endif
    }
  }

  /// Bytes that are read at a time where they are not kept.
  private static let chunkSize = 1 << 20

  /// Opens a file.
  /// - Parameter path: The path of a regular file; links are followed.
  /// - Throws: `ModelFileError` if it cannot be opened or is not a regular file.
  package convenience init(path: String) throws(ModelFileError) {
    guard !path.utf8.contains(0) else {
      throw ModelFileError(file: path.quoted, problem: "the path contains a NUL character")
    }
    // Opening a pipe for reading would otherwise wait until there is a writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw ModelFileError(file: path, problem: "cannot be opened: \(systemMessage(errno))")
    }
    try self.init(owning: descriptor, path: path)
  }

  /// Takes over an open file.
  init(owning descriptor: Int32, path: String) throws(ModelFileError) {
    var status = stat()
    let code = fstat(descriptor, &status) == 0 ? 0 : errno
    self.descriptor = descriptor
    self.path = path
    count = Int(status.st_size)
    changed = ChangeTime(status)
    guard code == 0 else { throw ModelFileError(file: path, problem: "cannot be examined: \(systemMessage(code))") }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw ModelFileError(
        file: path, problem: "\(description(of: status.st_mode)), where a regular file is expected")
    }
  }

  deinit { close(descriptor) }

  /// Reads a part of the file.
  /// - Parameters:
  ///   - place: Where the part begins, in bytes.
  ///   - buffer: What is filled; the part must lie in the file.
  /// - Throws: `ModelFileError` if the system refuses, or if the file is no longer what it was when it was opened.
  package func read(at place: Int, into buffer: UnsafeMutableRawBufferPointer) throws(ModelFileError) {
    precondition(place >= 0 && buffer.count <= count - place)
    guard let base = buffer.baseAddress, buffer.count > 0 else { return }
    var done = 0
    while done < buffer.count {
      // The system moves less than 2 GiB at a time, and some systems refuse to be asked for more.
      let part = pread(descriptor, base + done, min(buffer.count - done, 1 << 30), off_t(place + done))
      if part > 0 {
        done += part
      } else if part == 0 {
        throw changedError("became shorter")
      } else if errno != EINTR {
        throw ModelFileError(file: path, problem: "cannot be read: \(systemMessage(errno))")
      }
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw ModelFileError(file: path, problem: "cannot be examined: \(systemMessage(errno))")
    }
    let size = Int(status.st_size)
    guard size == count else { throw changedError(size < count ? "became shorter" : "became longer") }
    guard ChangeTime(status) == changed else { throw changedError("was written to") }
  }

  private func changedError(_ what: String) -> ModelFileError {
    ModelFileError(file: path, problem: "\(what) while it was read; run again when no one writes to it")
  }

  /// A part of the file.
  /// - Parameter range: Which bytes; they must lie in the file.
  /// - Returns: The bytes.
  /// - Throws: `ModelFileError` if it cannot be read, or there is no memory for it.
  package func bytes(_ range: Range<Int>) throws(ModelFileError) -> [UInt8] {
    try filledArray(count: range.count, file: path) {
      (buffer: UnsafeMutableBufferPointer<UInt8>) throws(ModelFileError) in
      try read(at: range.lowerBound, into: UnsafeMutableRawBufferPointer(buffer))
    }
  }

  /// The whole content.
  package func content() throws(ModelFileError) -> [UInt8] { try bytes(0..<count) }

  /// Whether the file begins with some bytes.
  package func starts(with bytes: [UInt8]) throws(ModelFileError) -> Bool {
    guard count >= bytes.count else { return false }
    return try self.bytes(0..<bytes.count) == bytes
  }

  /// Reads a part of the file in pieces that are valid during each call only.
  /// - Parameters:
  ///   - range: Which bytes.
  ///   - body: Called with each piece, in order; the size of all but the last is a multiple of 64.
  /// - Throws: `ModelFileError` if the file cannot be read, and what `body` throws.
  package func forEachPiece(
    of range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(ModelFileError) -> Void
  ) throws(ModelFileError) {
    guard !range.isEmpty else { return }
    var piece = [UInt8](repeating: 0, count: min(range.count, Self.chunkSize))
    for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.chunkSize) {
      let size = min(Self.chunkSize, range.upperBound - start)
      let failure = piece.withUnsafeMutableBytes { bytes in
        Result { () throws(ModelFileError) in
          let part = UnsafeMutableRawBufferPointer(rebasing: bytes[..<size])
          try read(at: start, into: part)
          try body(UnsafeRawBufferPointer(part))
        }
      }
      try failure.get()
    }
  }

  /// Elements of a type as Float, as `ModelFiles.floats(_:of:)` converts them.
  /// - Parameters:
  ///   - place: Where they begin, in bytes.
  ///   - elements: How many.
  ///   - type: Their type.
  ///   - isBigEndian: Whether the most significant byte comes first.
  /// - Returns: `nil` for types that do not hold single real numbers.
  /// - Throws: `ModelFileError` if the file cannot be read, or there is no memory for them.
  func floats(
    at place: Int, count elements: Int, of type: StoredType, isBigEndian: Bool = false
  ) throws(ModelFileError) -> [Float]? {
    guard type.isNumber else { return nil }
    return try filledArray(count: elements, file: path) {
      (output: UnsafeMutableBufferPointer<Float>) throws(ModelFileError) in
      if type == .float32, !isBigEndian, UInt32(1).littleEndian == 1 {
        return try read(at: place, into: UnsafeMutableRawBufferPointer(output))
      }
      var done = 0
      try forEachPiece(of: place..<place + elements * type.size) { piece in
        let reader = ElementReader(bytes: piece, count: piece.count / type.size, isBigEndian: isBigEndian)
        let values = ModelFiles.floats(reader, of: type) ?? []
        _ = UnsafeMutableBufferPointer(rebasing: output[done...]).update(fromContentsOf: values)
        done += values.count
      }
    }
  }
}

/// An array that is filled in place.
/// - Parameters:
///   - count: Its elements.
///   - file: What an error is about.
///   - fill: Fills all of the buffer.
/// - Returns: The array.
/// - Throws: `ModelFileError` if there is no memory for it, and what `fill` throws.
func filledArray<Element: BitwiseCopyable>(
  count: Int, file: String, _ fill: (UnsafeMutableBufferPointer<Element>) throws(ModelFileError) -> Void
) throws(ModelFileError) -> [Element] {
  do { try HostAllocation.check(count * MemoryLayout<Element>.stride) } catch {
    throw ModelFileError(file: file, problem: error.description)
  }
  var failure: ModelFileError?
  let array = [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
    do throws(ModelFileError) {
      try fill(UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
      initialized = count
    } catch { failure = error }
  }
  if let failure { throw failure }
  return array
}

/// What a file that is not a regular one is called.
private func description(of mode: mode_t) -> String {
  switch mode & S_IFMT {
  case S_IFDIR: "is a directory"
  case S_IFIFO: "is a pipe"
  case S_IFCHR, S_IFBLK: "is a device"
  case S_IFSOCK: "is a socket"
  default: "is a special file"
  }
}

/// The system's text for an error number.
func systemMessage(_ code: Int32) -> String { String(cString: strerror(code)) }

/// A file's whole content.
/// - Throws: `ModelFileError` if it cannot be read or is not a regular file.
package func fileContent(_ path: String) throws(ModelFileError) -> [UInt8] {
  try InputFile(path: path).content()
}

/// Whether anything exists at a path; a dangling link counts, so that it is reported and not passed
/// over.
package func fileExists(_ path: String) -> Bool {
  var status = stat()
  return lstat(path, &status) == 0
}

/// A directory and a name joined into a path.
package func path(_ directory: String, _ name: String) -> String {
  directory.isEmpty ? name : directory.hasSuffix("/") ? directory + name : directory + "/" + name
}

/// Whether a directory is at a path.
package func isDirectory(_ path: String) -> Bool {
  var status = stat()
  return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}

/// The names of what lies in a directory, sorted.
package func fileNames(in directory: String) throws(ModelFileError) -> [String] {
  do { return try FileManager.default.contentsOfDirectory(atPath: directory).sorted() } catch {
    throw ModelFileError(file: directory, problem: "cannot be read: \(error.localizedDescription)")
  }
}

/// The directory that a file lies in.
package func directory(of file: String) -> String {
  guard let slash = file.lastIndex(of: "/") else { return "." }
  return slash == file.startIndex ? "/" : String(file[..<slash])
}
