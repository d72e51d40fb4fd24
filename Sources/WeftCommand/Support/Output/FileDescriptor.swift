internal import Files
internal import Foundation
internal import ModelFiles

/// A file descriptor that is closed with its last owner. Every read and write of the command goes through here, where
/// interrupted calls are repeated.
final class FileDescriptor {
  let rawValue: Int32
  private var isOwned: Bool

  init(owning rawValue: Int32) { (self.rawValue, isOwned) = (rawValue, true) }

  /// Standard input and output: used, not closed.
  init(borrowing rawValue: Int32) { (self.rawValue, isOwned) = (rawValue, false) }

  /// - Returns: nil if the file cannot be opened; `errno` says why.
  convenience init?(opening path: String, flags: Int32, mode: mode_t = 0o666) {
    let descriptor = retrying { Foundation.open(path, flags | O_CLOEXEC, mode) }
    guard descriptor >= 0 else { return nil }
    self.init(owning: Int32(descriptor))
  }

  deinit { if isOwned { _ = Foundation.close(rawValue) } }

  /// - Returns: the bytes read, 0 at the end, or -1 with `errno` set.
  func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    retrying { Foundation.read(rawValue, buffer.baseAddress, buffer.count) }
  }

  /// Writes everything.
  /// - Returns: 0, or the error number.
  func writeAll(_ bytes: [UInt8]) -> Int32 {
    bytes.withUnsafeBytes { Files.writeAll($0, to: rawValue) }
  }

  /// Closes now, for the error that only closing reports.
  /// - Returns: 0, or the error number.
  func close() -> Int32 {
    guard isOwned else { return 0 }
    isOwned = false
    return Foundation.close(rawValue) == 0 ? 0 : errno
  }
}

/// Repeats a call that a signal interrupted.
private func retrying<Count: SignedInteger>(_ call: () -> Count) -> Int {
  while true {
    let result = call()
    if result >= 0 || errno != EINTR { return Int(result) }
  }
}

/// The system's words for the last failed call.
func lastErrorText() -> String { errorText(errno) }

/// The system's words for an error number.
func errorText(_ code: Int32) -> String {
  guard let text = strerror(code) else { return "error \(code)" }
  return String(cString: text)
}

/// Output that cannot be written.
enum OutputError: Error, Equatable, CustomStringConvertible {
  /// The program that read our output has ended, as `head` does. Nothing went wrong: end quietly, status 0.
  case readerLeft
  /// The error number, beside the name as the user gave it.
  case failed(path: String, code: Int32)

  init(path: String, code: Int32) {
    self = code == EPIPE ? .readerLeft : .failed(path: path, code: code)
  }

  var description: String {
    switch self {
    case .readerLeft: "the reader of the output has closed it"
    case .failed(let path, let code): "cannot write \(path.printable): \(errorText(code))"
    }
  }
}
