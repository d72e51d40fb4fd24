/// Why a question about vectors has no answer: a fault of the data or of what was asked.
public struct GeometryError: Error, Sendable, Hashable, CustomStringConvertible {
  /// One line for a person: what is wrong, and what would be right.
  public let message: String

  /// An error with its message.
  public init(_ message: String) { self.message = message }

  /// The message.
  public var description: String { message }
}

func require(_ condition: Bool, _ problem: @autoclosure () -> String) throws(GeometryError) {
  guard !condition else { return }
  throw GeometryError(problem())
}
