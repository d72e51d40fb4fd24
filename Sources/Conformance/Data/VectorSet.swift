internal import Engine

/// Row-major vectors on the host, the heads of a row in slices with poison around them.
struct VectorSet: Sendable {
  /// Where the vectors lie within a row.
  struct Layout: Sendable, Hashable {
    var heads = 1
    var channels: Int
    /// Poisoned channels before the first head, between two heads, and after the last.
    var before = 0
    var between = 0
    var after = 0

    var headStride: Int { channels + between }
    var width: Int { before + heads * headStride - between + after }
  }

  let count: Int
  let layout: Layout
  /// `count` rows and a poisoned one.
  private(set) var elements: [Float]

  init(count: Int, _ layout: Layout, _ draw: Draw, seed: UInt64) {
    self.count = count
    self.layout = layout
    elements = Poison.floats((count + 1) * layout.width)
    var generator = SplitMix64(seed: seed)
    fill { _, _, _ in draw(&generator) }
  }

  /// Sets every element of every vector.
  mutating func fill(_ element: (_ row: Int, _ head: Int, _ channel: Int) -> Float) {
    for row in 0..<count {
      for head in 0..<layout.heads {
        for channel in 0..<layout.channels {
          elements[index(row, head, channel)] = element(row, head, channel)
        }
      }
    }
  }

  private func index(_ row: Int, _ head: Int, _ channel: Int) -> Int {
    row * layout.width + layout.before + head * layout.headStride + channel
  }

  /// A vector, widened.
  func vector(_ row: Int, head: Int = 0) -> [Double] {
    (0..<layout.channels).map { Double(elements[index(row, head, $0)]) }
  }

  /// The vectors' place in a tensor that holds `elements`.
  func slices(in tensor: Tensor) -> HeadSlices {
    HeadSlices(
      tensor, offset: layout.before, headStride: layout.headStride, heads: layout.heads,
      channels: layout.channels)
  }
}

/// The inner product, and the sum of its terms' magnitudes.
func innerProduct(_ a: [Double], _ b: [Double]) -> Double {
  var sum = 0.0
  for (x, y) in zip(a, b) { sum += x * y }
  return sum
}
