internal import Foundation

/// Rotary position embedding of row-major vectors, into as many slices of another tensor's rows.
package struct RotateRows: DeviceOperation {
  package var source: HeadSlices
  /// `[rows]` int32: each row's position, less than the table's.
  package var positions: Tensor
  package var rotary: RotaryTable
  /// Where the turned vectors go; the channels between them stay as they are.
  package var out: HeadSlices
  package var rows: Int

  package init(_ source: HeadSlices, rows: Int, positions: Tensor, rotary: RotaryTable, into out: HeadSlices) {
    self.source = source
    self.rows = rows
    self.positions = positions
    self.rotary = rotary
    self.out = out
  }

  package func validate() throws(EngineError) {
    let name: StaticString = "rotate"
    try source.validate(name, rows: rows)
    try require(positions, holds: rows, name, "the positions", of: .int32)
    try out.validate(name, rows: rows)
    try require(
      out.heads == source.heads && out.channels == source.channels, name,
      "the result has \(out.heads) heads of \(out.channels) channels, the source \(source.heads) of \(source.channels)")
    try require(
      out.heads == 1 || out.headStride >= out.channels, name,
      "heads of \(out.channels) channels every \(out.headStride) would be written over each other")
    try require(out.tensor, isNot: source.tensor, name)
    try rotary.validate(name, channels: source.channels, positions: 1)
  }

  package func reference(_ memory: HostMemory) throws(EngineError) {
    let vectors = try memory.vectors(source)
    let rowPositions = try memory.integers(positions)
    let table = try memory.floats(rotary.tensor)
    let result = try memory.floats(out.tensor)
    let (heads, channels) = (source.heads, source.channels)
    for t in 0..<rows {
      for head in 0..<heads {
        let at = t * out.tensor.width + out.offset + head * out.headStride
        let vector = vectors.vector(start: t, index: 0, head: head, channels: channels)
        let turned = RotaryTable.rotated(vector, position: Int(rowPositions[t]), table)
        for c in 0..<channels { result[at + c] = Float(turned[c]) }
      }
    }
  }

  package func launches(_ tiles: TileShape) -> [KernelLaunch] {
    [
      KernelLaunch(
        "network/rotate.cl", "rotate_rows", tiles,
        arguments: source.arguments("source", prefix: "")
          + [
            "heads": .int(source.heads), "channels": .int(source.channels), "rotary": .tensor(rotary.tensor),
            "token_positions": .tensor(positions),
          ] + out.arguments("out", prefix: "out_"),
        groups: [rows], groupSize: tiles.rowGroup)
    ]
  }
}

/// Cosines and sines of the interleaved rotary embedding (Su et al., "RoFormer", 2021): channels `(2i, 2i+1)` of a
/// vector at position `t` turn by `t · base^(-2i / channels)` radians.
package struct RotaryTable: Sendable {
  /// `[positions, 2, channels]`: cosines, each twice; then `(-sin, sin)` a pair.
  package let tensor: Tensor

  package init(tensor: Tensor) {
    self.tensor = tensor
  }

  /// The table's elements, computed in Double. The inverse turns back by the same angles, to the bit: its sines are
  /// negated. A rotation's gradient is turned by it.
  package static func elements(
    positions: Int, channels: Int, base: Double = 10_000, inverse: Bool = false
  ) -> [Float] {
    var table = [Float](repeating: 0, count: positions * 2 * channels)
    for pair in 0..<channels / 2 {
      let frequency = pow(base, -2 * Double(pair) / Double(channels))
      for position in 0..<positions {
        let angle = Double(position) * frequency
        let at = position * 2 * channels + 2 * pair
        let (c, s) = (Float(cos(angle)), Float(inverse ? -sin(angle) : sin(angle)))
        table[at] = c
        table[at + 1] = c
        table[at + channels] = -s
        table[at + channels + 1] = s
      }
    }
    return table
  }

  func validate(_ name: StaticString, channels: Int, positions: Int) throws(EngineError) {
    try require(channels.isMultiple(of: 2), name, "\(channels) channels do not pair up")
    try require(
      tensor.shape.count == 3 && tensor.shape[1] == 2 && tensor.width == channels
        && tensor.elementType == .float32, name,
      "the rotary table \(tensor.shape) does not serve \(channels) channels")
    try require(
      tensor.shape[0] >= positions, name,
      "the rotary table ends at position \(tensor.shape[0]), \(positions) are needed")
  }

  /// A vector turned by a table's angles at a position.
  static func rotated(_ vector: [Double], position: Int, _ table: UnsafeMutableBufferPointer<Float>) -> [Double] {
    let at = position * 2 * vector.count
    return vector.indices.map { c in
      vector[c] * Double(table[at + c]) + vector[c ^ 1] * Double(table[at + vector.count + c])
    }
  }
}

extension Engine {
  /// A rotary table for positions below `positions`; the inverse turns gradients back.
  package func makeRotaryTable(
    positions: Int, channels: Int, inverse: Bool = false
  ) async throws(EngineError) -> RotaryTable {
    try require(
      positions > 0 && channels > 0 && channels.isMultiple(of: 2), "rotary table", "\(channels) channels do not pair up"
    )
    let elements = RotaryTable.elements(positions: positions, channels: channels, inverse: inverse)
    return RotaryTable(tensor: try await upload(.float32(elements), shape: [positions, 2, channels]))
  }
}
