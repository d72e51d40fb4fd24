import ArgumentParser
internal import Files
import Foundation
import Logging
import ModelFiles

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
  FileHandle.standardError.write(Data((message.printableLines + "\n").utf8))
}

extension WeftCommand {
  /// Runs what the command line asks for. A message may hold names and contents of files: what they could do to a
  /// terminal is escaped.
  static func main() async {
    // Before any other library can change what a signal does.
    UnfinishedFiles.removeWhenInterrupted()
    if let problem = ProcessLimits.problem() {
      note("Error: \(problem)")
      Foundation.exit(ExitStatus.failure.rawValue)
    }
    do {
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand { try await command.run() } else { try command.run() }
    } catch {
      let status = exitCode(for: error)
      if status == .success { exit(withError: error) }
      let message = fullMessage(for: error)
      if !message.isEmpty { note(withoutBreaksOfArguments(message)) }
      Foundation.exit(status.rawValue)
    }
  }

  /// A message with the command line's own words in it on one line each.
  private static func withoutBreaksOfArguments(_ message: String) -> String {
    var message = message
    for argument in CommandLine.arguments.dropFirst() where argument.contains(where: \.isNewline) {
      for part in [argument, argument.drop { $0 != "=" }.dropFirst().description] where !part.isEmpty {
        message = message.replacingOccurrences(of: part, with: part.printable)
      }
    }
    return message
  }
}

/// Says that a command without an input, started at a terminal, waits for lines from the keyboard.
func noteIfTyping(_ inputs: [String], _ line: String) {
  guard inputs.isEmpty || inputs == ["-"], isatty(STDIN_FILENO) == 1 else { return }
  note("weft: type lines of \(line); Ctrl-D ends")
}

/// Shows the library's messages as the command's own: `weft: …` on standard error.
///
/// Warnings always; notices, such as that kernels are being compiled, only to a person at a terminal; with --verbose also
/// what it uses.
struct CommandLog: LogHandler {
  var metadata: Logger.Metadata = [:]
  var logLevel: Logger.Level = isatty(STDERR_FILENO) == 1 ? .notice : .warning

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    note("weft: \(event.message)")
  }

  static let logger = Logger(label: "weft") { _ in CommandLog() }
  static let verboseLogger = Logger(label: "weft") { _ in CommandLog(logLevel: .debug) }
}

/// Seconds of all processors together since the process began: what a run costs, however busy the machine is.
func processorSeconds() -> Double { Double(clock()) / Double(CLOCKS_PER_SEC) }
