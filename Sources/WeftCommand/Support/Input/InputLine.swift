/// One line of input as bytes, without its line break.
struct InputLine: Sendable, Equatable {
  /// Counted from 1 through all inputs, as if they were one file.
  var number: Int
  /// Counted from 1 inside its own input; what a message should show beside ``source``.
  var numberInSource: Int
  /// The path as the user gave it, or `<stdin>`.
  var source: String
  /// The bytes, or why they were not kept.
  var content: Result<[UInt8], LineTooLong>
}

/// A line that passed the limit. Reading went on behind it.
struct LineTooLong: Error, Equatable, CustomStringConvertible {
  var limit: Int

  var description: String { "the line is longer than \(limit) bytes" }
}

/// An input that cannot be read.
struct InputError: Error, Equatable, CustomStringConvertible {
  var path: String
  var reason: String

  var description: String { "cannot read \(path): \(reason)" }
}
