/// Vectors laid out for the column side of a product: `[panel][head][channel][lane]`, `width` columns a panel.
///
/// The backend chooses the width to fit its tiles; only operations look inside.
public struct Panels: Sendable {
  /// float32.
  public let tensor: Tensor
  /// Vectors that lie side by side under one index.
  public let heads: Int
  /// Elements of a vector.
  public let channels: Int
  /// Columns of a panel.
  public let width: Int

  /// Panels in a tensor.
  public init(tensor: Tensor, heads: Int, channels: Int, width: Int) {
    self.tensor = tensor
    self.heads = heads
    self.channels = channels
    self.width = width
  }

  /// Panels that the tensor holds.
  public var panelCount: Int { tensor.count / (heads * channels * width) }
}

/// One slice of the channels of a row-major tensor `[rows, width]`: vector `h` of row `t` starts at element
/// `t * width + offset + h * headStride` and has `channels` elements.
public struct HeadSlices: Sendable {
  /// `[rows, width]`
  public let tensor: Tensor
  /// The first head's first channel.
  public let offset: Int
  /// Channels from one head to the next.
  public let headStride: Int
  /// Vectors of a row.
  public let heads: Int
  /// Elements of a vector.
  public let channels: Int

  /// Vectors within the rows of a tensor.
  public init(_ tensor: Tensor, offset: Int = 0, headStride: Int = 0, heads: Int = 1, channels: Int) {
    self.tensor = tensor
    self.offset = offset
    self.headStride = headStride
    self.heads = heads
    self.channels = channels
  }

  /// Checks that the vectors lie within the tensor.
  package func validate(_ operation: StaticString, rows: Int) throws(EngineError) {
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

extension Panels {
  /// Checks that there is room for an extent's vectors.
  package func requirePanels(of extent: Extent, _ name: StaticString) throws(EngineError) {
    try extent.requireWidth(width, name)
    let needed = extent.panelCount(width: width)
    try require(
      tensor.elementType == .float32 && panelCount >= needed, name,
      "\(needed) panels are needed, the tensor holds \(panelCount)")
  }
}
