/// Why a schedule, a plan or a sampling run was refused.
public struct DiffusionError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What the error is about.
  public enum Kind: Sendable, Hashable {
    /// A number or a combination of options that makes no sense; nothing was run.
    case invalidOption
    /// Data that cannot be used, such as a value that is not finite.
    case invalidData
    /// A device or a denoiser failed.
    case failed
  }

  /// What the error is about.
  public let kind: Kind
  /// One sentence for people: what is wrong, and what would be right.
  public let message: String

  /// An error with its message.
  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  /// The message.
  public var description: String { message }
}
