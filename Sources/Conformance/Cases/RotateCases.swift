internal import Engine

/// Rotary position embedding of rows: by formula, and by the properties that make it useful.
extension ConformanceKit {
  static let rotateCases: [ConformanceCase] = {
    typealias Layout = VectorSet.Layout
    var cases = [
      rotate("one pair", small: true, rows: 3, Layout(channels: 2)),
      rotate(
        "heads in slices", small: true, rows: 4,
        Layout(heads: 3, channels: 6, before: 1, between: 2, after: 1)),
      rotate(
        "heads in slices, many rows", rows: 129,
        Layout(heads: 2, channels: 20, before: 7, between: 13, after: 4)),
      rotate(
        "into slices of a wider row", small: true, rows: 4, Layout(heads: 3, channels: 6, after: 1),
        into: Layout(heads: 3, channels: 6, before: 2, between: 5, after: 3)),
      rotate(
        "into slices of a wider row, many rows", rows: 129, Layout(heads: 2, channels: 20),
        into: Layout(heads: 2, channels: 20, before: 3, between: 1, after: 9)),
      ConformanceCase(.rotate, "the inverse turns back", small: true) { backend in
        try await turnsBack(on: backend)
      },
      ConformanceCase(.rotate, "position 0 changes no bit", small: true) { backend in
        try await turnsNothing(on: backend)
      },
      ConformanceCase(.rotate, "keeps lengths") { backend in try await keepsLengths(on: backend) },
      ConformanceCase(.rotate, "products depend on the distance alone") { backend in
        try await isRelative(on: backend)
      },
    ]
    for channels in [4, 14, 16, 18, 64, 66, 256, 258] {
      cases.append(
        rotate("\(channels) channels", rows: 9, Layout(channels: channels), last: 511))
    }
    return cases
  }()

  private static func rotate(
    _ title: String, small: Bool = false, rows: Int, _ layout: VectorSet.Layout, into target: VectorSet.Layout? = nil,
    last: Int = 12
  ) -> ConformanceCase {
    ConformanceCase(.rotate, title, small: small) { backend in
      var generator = SplitMix64(seed: 601)
      let source = VectorSet(count: rows, layout, .uniform, seed: 602)
      var positions = (0..<rows).map { _ in generator.index(below: last + 1) }
      positions[0] = last
      let target = target ?? VectorSet.Layout(heads: layout.heads, channels: layout.channels)
      let result = try await turned(source, positions, into: target, on: backend)
      var expected = [Double?](repeating: nil, count: rows * target.width)
      for row in 0..<rows {
        for head in 0..<layout.heads {
          let vector = rotated(source.vector(row, head: head), position: positions[row])
          let first = row * target.width + target.before + head * target.headStride
          for (c, value) in vector.enumerated() { expected[first + c] = value }
        }
      }
      // Angles of the table are exact to a float: 6e-8 for each of two terms, and their sum.
      try compare(
        result, with: expected, shape: [rows, target.width], within: Tolerance(absolute: 5e-7))
    }
  }

  /// The rotated vectors in rows of `target`, side by side without one, and their guard.
  private static func turned(
    _ source: VectorSet, _ positions: [Int], into target: VectorSet.Layout? = nil, inverse: Bool = false,
    on backend: any Backend
  ) async throws -> [Float] {
    var workspace = Workspace(backend)
    let target = target ?? VectorSet.Layout(heads: source.layout.heads, channels: source.layout.channels)
    let out = try workspace.output(source.count, target.width)
    let table = try workspace.rotaryTable(
      positions: positions.reduce(0, max) + 1, channels: source.layout.channels, inverse: inverse)
    let places = positions.map(Int32.init) + [Poison.integer]
    let slices = HeadSlices(
      out.part, offset: target.before, headStride: target.headStride, heads: target.heads, channels: target.channels)
    try workspace.append(
      RotateRows(
        try workspace.upload(source), rows: source.count,
        positions: try workspace.upload(integers: places, places.count), rotary: table, into: slices))
    return try await workspace.run(reading: out)
  }

  private static func turnsNothing(on backend: any Backend) async throws {
    let source = VectorSet(count: 3, .init(channels: 18), .uniform, seed: 603)
    let result = try await turned(source, [0, 0, 0], on: backend)
    try compareBits(
      Array(result.prefix(54)), Array(source.elements.prefix(54)), "rows at position 0")
  }

  /// Turned by the table and then by its inverse, a vector is what it was.
  private static func turnsBack(on backend: any Backend) async throws {
    let layout = VectorSet.Layout(heads: 2, channels: 6)
    let source = VectorSet(count: 5, layout, .uniform, seed: 606)
    let positions = [7, 0, 3, 12, 1]
    let there = try await turned(source, positions, on: backend)
    var between = VectorSet(count: 5, layout, .uniform, seed: 1)
    between.fill { row, head, channel in there[row * layout.width + head * layout.headStride + channel] }
    let result = try await turned(between, positions, inverse: true, on: backend)
    let expected = source.elements.prefix(5 * layout.width).map { Optional(Double($0)) }
    try compare(result, with: expected, shape: [5, layout.width], within: Tolerance(absolute: 1e-6))
  }

  private static func keepsLengths(on backend: any Backend) async throws {
    let source = VectorSet(count: 65, .init(channels: 64), .uniform, seed: 604)
    let result = try await turned(source, Array(0..<65), on: backend)
    for row in 0..<65 {
      let before = source.vector(row)
      let after = result[row * 64..<(row + 1) * 64].map(Double.init)
      let (exact, got) = (innerProduct(before, before), innerProduct(after, after))
      guard abs(got - exact) <= 1e-6 * exact else {
        throw Mismatch("row \(row): squared length \(exact) became \(got), tolerance 1e-6")
      }
    }
  }

  private static func isRelative(on backend: any Backend) async throws {
    // One query and one key, each at every position.
    let (count, channels, distance) = (60, 32, 7)
    var generator = SplitMix64(seed: 605)
    let (query, key) = (Draw.uniform(channels, &generator), Draw.uniform(channels, &generator))
    var source = VectorSet(count: 2 * count, .init(channels: channels), .uniform, seed: 1)
    source.fill { row, _, channel in row < count ? query[channel] : key[channel] }
    let result = try await turned(source, Array(0..<count) + Array(0..<count), on: backend)
    func vector(_ row: Int) -> [Double] {
      result[row * channels..<(row + 1) * channels].map(Double.init)
    }
    let first = innerProduct(vector(distance), vector(count))
    for position in 1..<count - distance {
      let product = innerProduct(vector(position + distance), vector(count + position))
      guard abs(product - first) <= 3e-6 else {
        throw Mismatch(
          "the product at distance \(distance) is \(first) at position 0, \(product) at \(position)")
      }
    }
  }
}
