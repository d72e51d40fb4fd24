/// What went wrong in the engine or on its device.
public struct EngineError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kinds of failure a caller may want to tell apart.
  public enum Kind: Sendable, Hashable {
    /// An operation's shapes, ranges or element types contradict each other: a fault of the caller.
    case invalidOperation
    /// The device, or the engine's memory budget, has no room; a smaller batch may pass.
    case exhausted
    /// No device answers to the name or index asked for.
    case unknownDevice
    /// The device or its driver reported a failure.
    case deviceFailure
  }

  /// Which kind of failure.
  public let kind: Kind
  /// One line for a person: what failed, and what to do where that is known.
  public let message: String

  /// Creates an error of `kind` with a line for a person.
  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  /// The message.
  public var description: String { message }
}
