/// One way to cut an operation's work into tiles: numbers in place of those that its kernels and its grid have by default.
///
/// Names in capitals are macros of the kernels; the others are the host's, see ``TileChoice/panelsPerItem``.
public struct TileChoice: Sendable, Hashable, ExpressibleByDictionaryLiteral {
  /// The numbers by name; empty for the defaults.
  public private(set) var values: [String: Int]

  /// A choice of these numbers.
  public init(_ values: [String: Int]) { self.values = values }

  /// A choice of these numbers.
  public init(dictionaryLiteral elements: (String, Int)...) {
    self.init([String: Int](elements) { $1 })
  }

  /// The number of a name; nil for the default.
  public subscript(name: String) -> Int? { values[name] }

  /// The same choice with another number.
  public func setting(_ name: String, to value: Int) -> TileChoice {
    TileChoice(values.merging([name: value]) { $1 })
  }

  /// Panels that a group of a product walks.
  public static let panelsPerItem = "panels_per_item"
  /// Work-items a group down the rows of a product's tile, on a GPU: the tiles' own macro.
  static let groupRows = "PW_GROUP_ROWS"

  /// What kernels are compiled with; without the tiles' own macro, which is among ``TileShape/defines``.
  public var macros: [String: String] {
    guard !values.isEmpty else { return [:] }
    var macros: [String: String] = [:]
    for (name, value) in values where name != Self.groupRows && name.first?.isUppercase == true {
      macros[name] = "\(value)"
    }
    return macros
  }
}

extension TileChoice: CustomStringConvertible {
  /// For a person: `PW_BLOCKED 1, PW_ROWS 32`.
  public var description: String {
    values.isEmpty
      ? "default" : values.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
  }
}

/// The ways in which an operation's work can be cut into tiles on a device, all with the same bits.
public struct TuningSpace: Sendable, Hashable {
  /// A number that can be chosen, and what else than its default is worth a try.
  public struct Knob: Sendable, Hashable {
    /// A macro of the kernels, or a number of the host's.
    public let name: String
    /// What it can be, its default left out.
    public let values: [Int]

    /// A number with its values.
    public init(_ name: String, _ values: [Int]) { (self.name, self.values) = (name, values) }
  }

  /// Says which operations share a choice, and tells a person what is computed: `dense 384 -> 1536, rows 2^11`.
  public let key: String
  /// What can be chosen, what matters most first.
  public let knobs: [Knob]

  /// The choices of an operation.
  public init(_ key: String, knobs: [Knob]) {
    self.key = key
    self.knobs = knobs
  }

  /// How a key names a number of rows, or of anything else that varies from batch to batch: by the power of two that it
  /// does not exceed.
  public static func bucket(_ count: Int) -> String {
    "2^\(count > 1 ? Int.bitWidth - (count - 1).leadingZeroBitCount : 0)"
  }

  /// Whether a choice is one of these; what is not is ignored.
  package func allows(_ choice: TileChoice) -> Bool {
    choice.values.allSatisfy { name, value in knobs.contains { $0.name == name && $0.values.contains(value) } }
  }
}

/// What operations were tuned to on a device, by their keys.
package struct Tuning: Sendable {
  package let choices: [String: TileChoice]

  package init(_ choices: [String: TileChoice]) { self.choices = choices }

  /// Every operation has the defaults.
  package static let none = Tuning([:])

  /// An operation's key with what else decides how fast it is.
  package static func key(_ space: TuningSpace, _ tiles: TileShape) -> String {
    let units = tiles.units == .float32 ? "" : "/\(tiles.units.rawValue)"
    return "\(tiles.variant.rawValue) \(tiles.precision.rawValue)\(units): \(space.key)"
  }

  /// What an operation was tuned to, with its key; nil if to nothing, or to what it cannot be.
  package func choice(
    for operation: any DeviceOperation, _ tiles: TileShape
  ) -> (key: String, choice: TileChoice)? {
    guard !choices.isEmpty, let space = operation.tuning(tiles) else { return nil }
    let key = Self.key(space, tiles)
    guard let choice = choices[key], !choice.values.isEmpty, space.allows(choice) else { return nil }
    return (key, choice)
  }
}
