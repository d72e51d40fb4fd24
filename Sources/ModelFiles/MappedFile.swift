import Foundation

/// A regular file mapped read-only into memory for as long as the object lives.
///
/// Every file of this module is read through here, so that a directory, a pipe or a device is
/// refused in one place. A file that is truncated by someone else while it is mapped ends the
/// process with SIGBUS, as with any mapping; model files are not written while they are in use.
package final class MappedFile: Sendable {
  /// Where the file lies, as the caller gave it.
  package let path: String

  /// The file's content. Immutable and unmapped only by `deinit`, hence safe to share.
  private nonisolated(unsafe) let content: UnsafeRawBufferPointer

  /// Maps a whole file.
  /// - Parameter path: The path of a regular file; links are followed.
  /// - Throws: `ModelFileError` if it cannot be opened, is not a regular file or cannot be mapped.
  package init(path: String) throws(ModelFileError) {
    self.path = path
    guard !path.utf8.contains(0) else {
      throw ModelFileError(file: path.quoted, problem: "the path contains a NUL character")
    }
    // Opening a pipe for reading would otherwise wait until there is a writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw ModelFileError(file: path, problem: "cannot be opened: \(systemMessage(errno))")
    }
    defer { close(descriptor) }

    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw ModelFileError(file: path, problem: "cannot be examined: \(systemMessage(errno))")
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw ModelFileError(
        file: path, problem: "\(description(of: status.st_mode)), where a regular file is expected")
    }
    guard status.st_size > 0 else {  // an empty mapping is an error to the system
      content = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    let size = Int(status.st_size)
    guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0),
      address != MAP_FAILED
    else {
      throw ModelFileError(file: path, problem: "cannot be mapped: \(systemMessage(errno))")
    }
    content = UnsafeRawBufferPointer(start: address, count: size)
  }

  deinit {
    if let address = content.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: address), content.count)
    }
  }

  /// The file's length in bytes.
  package var count: Int { content.count }

  /// Calls `body` with the file's content, which is valid during the call only.
  package func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(self) {} }  // no unmapping while `body` runs
    return try body(content)
  }
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
/// - Throws: `ModelFileError` if it cannot be opened or is not a regular file.
package func fileContent(_ path: String) throws(ModelFileError) -> [UInt8] {
  try MappedFile(path: path).withBytes { Array($0) }
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
