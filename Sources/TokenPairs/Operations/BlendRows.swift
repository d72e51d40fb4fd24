package import Engine

/// Mixtures of two rows each: `out[r] = w_r · source[first_r] + (1 - w_r) · source[second_r]`; mixup (Zhang et al., 2018)
/// of features.
package struct BlendRows: DeviceOperation {
  package var source: Tensor
  /// `[rows, 2]` int32: rows of the source, of which the caller makes sure that they exist; -1 for a row of zeros.
  package var indices: Tensor
  /// `[rows]`: w
  package var weights: Tensor
  package var rows: Int
  /// `[rows, width]`
  package var out: Tensor

  package init(of source: Tensor, indices: Tensor, weights: Tensor, rows: Int, into out: Tensor) {
    self.source = source
    self.indices = indices
    self.weights = weights
    self.rows = rows
    self.out = out
  }

  package func validate() throws(EngineError) {
    let name: StaticString = "blend of rows"
    try HeadSlices(source, channels: source.width).validate(name, rows: 1)
    try require(rows > 0 && rows <= indexLimit / 2, name, "\(rows) rows")
    try require(indices, holds: 2 * rows, name, "the indices", of: .int32)
    try require(weights, holds: rows, name, "the weights")
    try require(out, holds: rows * source.width, name, "the result")
    try require(out.width == source.width, name, "the result has \(out.width) channels, the source \(source.width)")
    try require(out, isNot: source, name)
  }

  package func reference(_ memory: HostMemory) throws(EngineError) {
    let width = source.width
    let elements = try memory.floats(source)
    let pairs = try memory.integers(indices)
    let shares = try memory.floats(weights)
    let result = try memory.floats(out)
    func element(_ row: Int32, _ c: Int) -> Double { row < 0 ? 0 : Double(elements[Int(row) * width + c]) }
    for r in 0..<rows {
      let weight = Double(shares[r])
      for c in 0..<width {
        result[r * width + c] = Float(weight * element(pairs[2 * r], c) + (1 - weight) * element(pairs[2 * r + 1], c))
      }
    }
  }

  package func launches(_ tiles: TileShape) -> [KernelLaunch] {
    [
      KernelLaunch(
        "training/blend_rows.cl", "blend_rows", tiles,
        arguments: [
          "source": .tensor(source), "indices": .tensor(indices), "weights": .tensor(weights), "out": .tensor(out),
          "width": .int(source.width),
        ],
        groups: [rows], groupSize: tiles.rowGroup)
    ]
  }
}
