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
