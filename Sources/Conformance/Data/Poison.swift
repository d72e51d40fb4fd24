/// What fills memory that nothing may write, or whose content nothing may use. A NaN with bits of its
/// own spreads through any arithmetic, and a write is noticed bit by bit.
enum Poison {
  static let float = Float(bitPattern: 0x7FC0_DEAD)
  static let integer = Int32(bitPattern: 0xDEAD_BEEF)

  static func floats(_ count: Int) -> [Float] { [Float](repeating: float, count: count) }
  static func integers(_ count: Int) -> [Int32] { [Int32](repeating: integer, count: count) }

  static func isIntact(_ value: Float) -> Bool { value.bitPattern == float.bitPattern }
}
