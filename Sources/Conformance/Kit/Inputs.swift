internal import Engine

extension SplitMix64 {
  /// Uniform in -1 ... 1, with all the bits a float has.
  mutating func uniform() -> Float { Float(Int64(bitPattern: next()) >> 39) / 16_777_216 }

  /// One of -1, -7/8, ..., 7/8, 1: sums of their products are exact in float32.
  mutating func eighth() -> Float { Float(Int(next() % 17) - 8) / 8 }

  mutating func index(below bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

/// How elements are drawn.
enum Draw: Sendable {
  /// Uniform in -1 ... 1: results carry rounding errors.
  case uniform
  /// Multiples of 1/8 in -1 ... 1: products and their sums are exact, so results are known to the bit.
  case exact
  /// Uniform in 0 ... 1: a sum of products is the sum of absolute products, to which errors are compared.
  case positive

  func callAsFunction(_ generator: inout SplitMix64) -> Float {
    switch self {
    case .uniform: generator.uniform()
    case .exact: generator.eighth()
    case .positive: abs(generator.uniform())
    }
  }

  func callAsFunction(_ count: Int, _ generator: inout SplitMix64) -> [Float] {
    (0..<count).map { _ in self(&generator) }
  }

  /// The tolerance of a sum of so many products of such elements.
  func tolerance(channels: Int) -> Tolerance { self == .exact ? .exact : .product(channels: channels) }
}

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

/// The inner product.
func innerProduct(_ a: [Double], _ b: [Double]) -> Double {
  var sum = 0.0
  for (x, y) in zip(a, b) { sum += x * y }
  return sum
}

/// A batch of images on the host, pixel by pixel, and how they reach a device: in one tensor or two.
struct PixelSet: Sendable {
  let grid: PixelGrid
  /// Channels of the first and the second tensor; 0 for no second.
  let channels: (first: Int, second: Int)
  /// `[pixels, channels of both]`
  private let elements: [Float]

  init(
    _ grid: PixelGrid, channels: Int, and second: Int = 0, _ draw: Draw = .uniform, spread: Float = 1,
    offset: Float = 0, seed: UInt64
  ) {
    self.grid = grid
    self.channels = (channels, second)
    var generator = SplitMix64(seed: seed)
    elements = (0..<grid.rows * (channels + second)).map { _ in offset + spread * draw(&generator) }
  }

  /// The pixels as rows, followed by a poisoned one each.
  func stage(in workspace: inout Workspace) throws -> PixelRows {
    let width = channels.first + channels.second
    func upload(_ range: Range<Int>) throws -> Tensor {
      let rows = (0..<grid.rows).flatMap { row in range.map { elements[row * width + $0] } }
      return try workspace.upload(rows + Poison.floats(range.count), grid.rows + 1, range.count)
    }
    let first = try upload(0..<channels.first)
    return PixelRows(first, channels.second == 0 ? nil : try upload(channels.first..<width))
  }
}

extension VectorSet {
  /// Numbers of each image in a slice of wider rows, with poison around them.
  init(images: Int, channels: Int, before: Int, after: Int, seed: UInt64) {
    self.init(count: images, .init(channels: channels, before: before, after: after), .uniform, seed: seed)
  }
}
