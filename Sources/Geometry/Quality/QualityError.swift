/// Why two sets of samples have no distance: a fault of their sizes or numbers.
public struct QualityError: Error, Sendable, Hashable, CustomStringConvertible {
  /// One line for a person: what is wrong, and what would be right.
  public let message: String

  /// An error with its message.
  public init(_ message: String) { self.message = message }

  /// The message.
  public var description: String { message }
}
