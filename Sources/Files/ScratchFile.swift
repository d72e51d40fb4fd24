internal import Foundation

/// A file without a name, for what is too large for memory. It is gone with its descriptor, however the process ends.
package final class ScratchFile {
  /// The folder that it takes room in: that of `TMPDIR`, else `/tmp`.
  package let folder: String
  private var descriptor: Int32

  /// Makes an empty file.
  /// - Throws: `WriteError` about the folder if the system refuses.
  package init() throws(WriteError) {
    let folder = ProcessInfo.processInfo.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
    self.folder = folder
    var name = Array("\(folder)/weft.XXXXXX".utf8CString)
    descriptor = mkstemp(&name)
    guard descriptor >= 0 else { throw WriteError(path: folder, code: errno) }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    name.withUnsafeBufferPointer { if let name = $0.baseAddress { _ = unlink(name) } }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Writes the next bytes.
  /// - Throws: `WriteError` about the folder if the system refuses, as it does when the disk is full.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(WriteError) {
    let code = writeAll(bytes, to: descriptor)
    if code != 0 { throw WriteError(path: folder, code: code) }
  }

  /// The descriptor, which is the caller's from then on; nothing may be written afterwards.
  package func release() -> Int32 {
    defer { descriptor = -1 }
    return descriptor
  }
}
