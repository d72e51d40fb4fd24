/// Vectors laid out for the column side of a product: `[panel][head][channel][lane]`, `width` columns a panel.
///
/// The backend chooses the width to fit its tiles; only operations look inside.
package struct Panels: Sendable {
  package let tensor: Tensor
  package let heads: Int
  package let channels: Int
  package let width: Int

  package init(tensor: Tensor, heads: Int, channels: Int, width: Int) {
    self.tensor = tensor
    self.heads = heads
    self.channels = channels
    self.width = width
  }

  package var panelCount: Int { tensor.count / (heads * channels * width) }
}

/// One slice of the channels of a row-major tensor `[rows, width]`: vector `h` of row `t` starts at element
/// `t * width + offset + h * headStride` and has `channels` elements.
package struct HeadSlices: Sendable {
  package let tensor: Tensor
  package let offset: Int
  package let headStride: Int
  package let heads: Int
  package let channels: Int

  package init(_ tensor: Tensor, offset: Int = 0, headStride: Int = 0, heads: Int = 1, channels: Int) {
    self.tensor = tensor
    self.offset = offset
    self.headStride = headStride
    self.heads = heads
    self.channels = channels
  }

  func validate(_ operation: StaticString, rows: Int) throws(EngineError) {
    try require(tensor.elementType == .float32, operation, "vectors must be float32")
    try require(
      offset >= 0 && headStride >= 0 && heads > 0 && channels > 0
        && offset + (heads - 1) * headStride + channels <= tensor.width, operation,
      "\(heads) heads of \(channels) channels from channel \(offset) every \(headStride) do not fit rows of \(tensor.width)"
    )
    try require(
      rows > 0 && rows <= tensor.rowCount, operation,
      "\(rows) rows are asked of a tensor that has \(tensor.rowCount)")
  }
}
