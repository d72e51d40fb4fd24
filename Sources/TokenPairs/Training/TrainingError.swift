/// What keeps a training from starting, or from going on.
public struct TrainingError: Error, Sendable, Hashable, CustomStringConvertible {
  /// One line for a person: what is wrong, and what to do where that is known.
  public let description: String

  /// An error with a line for a person.
  public init(_ description: String) { self.description = description }
}
