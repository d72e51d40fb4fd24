internal import Foundation

/// Output that cannot be written.
enum OutputError: Error, Equatable, CustomStringConvertible {
  /// Whoever read our output has gone, as `head` does. Nothing went wrong: end quietly, status 0.
  case readerLeft
  /// The error number, beside the name as the user gave it.
  case failed(path: String, code: Int32)

  init(path: String, code: Int32) {
    self = code == EPIPE ? .readerLeft : .failed(path: path, code: code)
  }

  var description: String {
    switch self {
    case .readerLeft: "the reader of the output has closed it"
    case .failed(let path, let code): "cannot write \(path): \(errorText(code))"
    }
  }
}
