internal import Engine

extension ConformanceFamily { static let rotate: ConformanceFamily = "rotate" }

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
      ConformanceCase(.rotate, "the inverse turns back", small: true) { engine in
        try await turnsBack(on: engine)
      },
      ConformanceCase(.rotate, "position 0 changes no bit", small: true) { engine in
        try await turnsNothing(on: engine)
      },
      ConformanceCase(.rotate, "keeps lengths") { engine in try await keepsLengths(on: engine) },
      ConformanceCase(.rotate, "products depend on the distance alone") { engine in
        try await isRelative(on: engine)
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
    // Angles of the table are exact to a float: 6e-8 for each of two terms, and their sum.
    ConformanceCase(.rotate, title, small: small, within: Tolerance(absolute: 5e-7)) { workspace in
      var generator = SplitMix64(seed: 601)
      let source = VectorSet(count: rows, layout, .uniform, seed: 602)
      var positions = (0..<rows).map { _ in generator.index(below: last + 1) }
      positions[0] = last
      return [try rotation(of: source, positions, into: target, in: &workspace)]
    }
  }

  /// Adds the rotation into rows of `target`, side by side without one.
  private static func rotation(
    of source: VectorSet, _ positions: [Int], into target: VectorSet.Layout? = nil, inverse: Bool = false,
    in workspace: inout Workspace
  ) throws -> Tensor {
    let target = target ?? VectorSet.Layout(heads: source.layout.heads, channels: source.layout.channels)
    let out = try workspace.output(source.count, target.width)
    let table = try workspace.rotaryTable(
      positions: positions.reduce(0, max) + 1, channels: source.layout.channels, inverse: inverse)
    let places = positions.map(Int32.init) + [Poison.integer]
    let slices = HeadSlices(
      out, offset: target.before, headStride: target.headStride, heads: target.heads, channels: target.channels)
    try workspace.append(
      RotateRows(
        try workspace.upload(source), rows: source.count,
        positions: try workspace.upload(integers: places, places.count), rotary: table, into: slices))
    return out
  }

  /// The rotated vectors side by side, and their guard.
  private static func turned(
    _ source: VectorSet, _ positions: [Int], inverse: Bool = false, on engine: Engine
  ) async throws -> [Float] {
    var workspace = Workspace(engine)
    return try await workspace.run(
      reading: try rotation(of: source, positions, inverse: inverse, in: &workspace))
  }

  private static func turnsNothing(on engine: Engine) async throws {
    let source = VectorSet(count: 3, .init(channels: 18), .uniform, seed: 603)
    let result = try await turned(source, [0, 0, 0], on: engine)
    try compareBits(
      Array(result.prefix(54)), Array(source.elements.prefix(54)), "rows at position 0")
  }

  /// Turned by the table and then by its inverse, a vector is what it was.
  private static func turnsBack(on engine: Engine) async throws {
    let layout = VectorSet.Layout(heads: 2, channels: 6)
    let source = VectorSet(count: 5, layout, .uniform, seed: 606)
    let positions = [7, 0, 3, 12, 1]
    let there = try await turned(source, positions, on: engine)
    var between = VectorSet(count: 5, layout, .uniform, seed: 1)
    between.fill { row, head, channel in there[row * layout.width + head * layout.headStride + channel] }
    let result = try await turned(between, positions, inverse: true, on: engine)
    // The vectors lie side by side and have a poisoned row behind them, as the result has.
    try compare(
      .float32(result), with: .float32(source.elements), shape: [6, layout.width], within: Tolerance(absolute: 1e-6))
  }

  private static func keepsLengths(on engine: Engine) async throws {
    let source = VectorSet(count: 65, .init(channels: 64), .uniform, seed: 604)
    let result = try await turned(source, Array(0..<65), on: engine)
    for row in 0..<65 {
      let before = source.vector(row)
      let after = result[row * 64..<(row + 1) * 64].map(Double.init)
      let (exact, got) = (innerProduct(before, before), innerProduct(after, after))
      guard abs(got - exact) <= 1e-6 * exact else {
        throw Mismatch("row \(row): squared length \(exact) became \(got), tolerance 1e-6")
      }
    }
  }

  private static func isRelative(on engine: Engine) async throws {
    // One query and one key, each at every position.
    let (count, channels, distance) = (60, 32, 7)
    var generator = SplitMix64(seed: 605)
    let (query, key) = (Draw.uniform(channels, &generator), Draw.uniform(channels, &generator))
    var source = VectorSet(count: 2 * count, .init(channels: channels), .uniform, seed: 1)
    source.fill { row, _, channel in row < count ? query[channel] : key[channel] }
    let result = try await turned(source, Array(0..<count) + Array(0..<count), on: engine)
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
