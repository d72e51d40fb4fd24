/// An event as far as a metric looks at it.
public struct EventKey: Sendable, Hashable {
  /// What happens.
  public let type: String
  /// What takes part, the trigger included; in any order.
  public let arguments: [EventArgumentKey]

  /// An event of a type.
  public init(type: String, arguments: [EventArgumentKey]) {
    self.type = type
    self.arguments = arguments
  }
}

/// An argument of an event as far as a metric looks at it.
public struct EventArgumentKey: Sendable, Hashable {
  /// What it is to the event.
  public let role: String
  /// Code points, end-exclusive.
  public let range: Range<Int>
  /// The words at that place.
  public let text: String
  /// Other words for the same, of a gold argument: any of them is right, word by word.
  public let aliases: [String]

  /// An argument at a place.
  public init(role: String, range: Range<Int>, text: String, aliases: [String] = []) {
    self.role = role
    self.range = range
    self.text = text
    self.aliases = aliases
  }
}
