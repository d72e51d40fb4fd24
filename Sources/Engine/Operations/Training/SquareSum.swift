/// Sums of a tensor's squares, part by part, for the norm of a gradient; added in an order that depends on its size alone.
package struct SquareSum: Sendable {
  /// Elements that share a slot.
  package static let part = 16_384

  package var source: Tensor
  /// `[slots]`: as many as `slots(for:)` says are written, from `slot` on.
  package var sums: Tensor
  package var slot: Int

  package init(of source: Tensor, into sums: Tensor, slot: Int) {
    self.source = source
    self.sums = sums
    self.slot = slot
  }

  /// Slots that a tensor takes.
  package static func slots(for tensor: Tensor) -> Int { (tensor.count + part - 1) / part }

  func validate() throws(EngineError) {
    let name: StaticString = "sum of squares"
    try require(source.elementType == .float32 && source.count <= indexLimit, name, "\(source.count) elements")
    try require(slot >= 0, name, "slot \(slot)")
    try require(sums, holds: slot + Self.slots(for: source), name, "the sums")
    try require(sums, isNot: source, name)
  }
}
