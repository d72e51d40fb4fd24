import Foundation
import Logging

/// Shows the library's messages as the command's own: `weft: …` on standard error.
///
/// Warnings always; notices, such as that kernels are being compiled, only to a person at a terminal.
struct CommandLog: LogHandler {
  var metadata: Logger.Metadata = [:]
  var logLevel: Logger.Level = isatty(STDERR_FILENO) == 1 ? .notice : .warning

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    FileHandle.standardError.write(Data("weft: \(event.message)\n".utf8))
  }

  static let logger = Logger(label: "weft") { _ in CommandLog() }
}
