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
    _ title: String, small: Bool = false, rows: Int, _ layout: VectorSet.Layout, last: Int = 12
  ) -> ConformanceCase {
    ConformanceCase(.rotate, title, small: small) { backend in
      var generator = SplitMix64(seed: 601)
      let source = VectorSet(count: rows, layout, .uniform, seed: 602)
      var positions = (0..<rows).map { _ in generator.index(below: last + 1) }
      positions[0] = last
      let result = try await turned(source, positions, on: backend)
      var expected: [Double?] = []
      for row in 0..<rows {
        for head in 0..<layout.heads {
          let vector = rotated(source.vector(row, head: head), position: positions[row])
          expected += vector.map(Optional.some)
        }
      }
      // Angles of the table are exact to a float: 6e-8 for each of two terms, and their sum.
      try compare(
        result, with: expected, shape: [rows, layout.heads, layout.channels],
        within: Tolerance(absolute: 5e-7))
    }
  }

  /// The rotated vectors and their guard.
  private static func turned(
    _ source: VectorSet, _ positions: [Int], on backend: any Backend
  ) async throws -> [Float] {
    var workspace = Workspace(backend)
    let out = try workspace.output(
      source.count, source.layout.heads * source.layout.channels)
    let table = try workspace.rotaryTable(
      positions: positions.reduce(0, max) + 1, channels: source.layout.channels)
    let places = positions.map(Int32.init) + [Poison.integer]
    try workspace.append(
      .rotate(
        RotateRows(
          try workspace.upload(source), rows: source.count,
          positions: try workspace.upload(integers: places, places.count), rotary: table, into: out.part)))
    return try await workspace.run(reading: out)
  }

  private static func turnsNothing(on backend: any Backend) async throws {
    let source = VectorSet(count: 3, .init(channels: 18), .uniform, seed: 603)
    let result = try await turned(source, [0, 0, 0], on: backend)
    try compareBits(
      Array(result.prefix(54)), Array(source.elements.prefix(54)), "rows at position 0")
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
