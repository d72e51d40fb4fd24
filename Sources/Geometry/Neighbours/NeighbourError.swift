/// Why vectors have no neighbours, or no hubs: a fault of the data or of what was asked.
public struct NeighbourError: Error, Sendable, Hashable, CustomStringConvertible {
  /// One line for a person: what is wrong, and what would be right.
  public let message: String

  /// An error with its message.
  public init(_ message: String) { self.message = message }

  /// The message.
  public var description: String { message }
}

func require(_ condition: Bool, _ problem: @autoclosure () -> String) throws(NeighbourError) {
  guard !condition else { return }
  throw NeighbourError(problem())
}
