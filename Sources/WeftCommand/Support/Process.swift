import Foundation
import Logging

/// What the process tells its caller. Part of the command line's contract.
enum ExitStatus: Int32, Sendable {
  case success = 0
  /// The run could not be carried out: a model, a device or a file failed.
  case failure = 1
  /// The run ended, but at least one input line could not be used.
  case someLinesFailed = 3
  /// The command was called wrongly; `EX_USAGE` of sysexits.
  case usage = 64

  /// How a finished run ends.
  init(failedLines: Int) { self = failedLines == 0 ? .success : .someLinesFailed }
}

/// Says something on standard error, where it does not disturb the results.
func note(_ message: String) {
  FileHandle.standardError.write(Data((message + "\n").utf8))
}

/// Says that a command without an input, started at a terminal, waits for lines from the keyboard.
func noteIfTyping(_ inputs: [String], _ line: String) {
  guard inputs.isEmpty || inputs == ["-"], isatty(STDIN_FILENO) == 1 else { return }
  note("weft: type lines of \(line); Ctrl-D ends")
}

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

/// Seconds of all processors together since the process began: what a run costs, however busy the machine is.
func processorSeconds() -> Double { Double(clock()) / Double(CLOCKS_PER_SEC) }
