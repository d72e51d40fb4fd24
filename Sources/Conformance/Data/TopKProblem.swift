internal import Engine
internal import Geometry

/// Rows and columns to choose from, and which column a row may not take.
struct TopKProblem: Sendable {
  var rows: VectorSet
  var columns: VectorSet
  var terms: [Float]
  var k: Int
  var scale: Float
  /// Into how many the columns are cut, if they have as many panels.
  var chunks: Int
  var excluded: [Int32]
  /// In how many parts the rows meet each other, if they are the columns, too; else nil.
  var mutualParts: Int?

  init(
    rows: Int, columns: Int, channels: Int, k: Int, scale: Float = 0.5, chunks: Int = 1, before: Int = 0,
    excludesOwn: Bool = false, _ draw: Draw, seed: UInt64
  ) {
    var generator = SplitMix64(seed: seed)
    let layout = VectorSet.Layout(channels: channels, before: before, after: before)
    self.rows = VectorSet(count: rows, layout, draw, seed: generator.next())
    self.columns = VectorSet(count: columns, layout, draw, seed: generator.next())
    terms = draw(columns, &generator)
    excluded = (0..<rows).map { excludesOwn ? Int32($0) : -1 }
    self.k = k
    self.scale = scale
    self.chunks = chunks
  }

  /// Vectors that are compared with themselves.
  init(
    mutual count: Int, channels: Int, k: Int, parts: Int = 1, scale: Float = 0.5, excludesOwn: Bool = false,
    _ draw: Draw, seed: UInt64
  ) {
    self.init(
      rows: count, columns: count, channels: channels, k: k, scale: scale, before: 3, excludesOwn: excludesOwn, draw,
      seed: seed)
    columns = rows
    mutualParts = parts
  }

  /// Cut at panels, whatever their width is.
  func segments(panelWidth: Int) -> Segments {
    let panels = (columns.count + panelWidth - 1) / panelWidth
    let count = min(chunks, panels)
    return Segments(
      lengths: (0..<count).map { chunk in
        min(columns.count, panels * (chunk + 1) / count * panelWidth) - panels * chunk / count * panelWidth
      })
  }

  /// All columns that a row may take, best first, by Double sums.
  func ranking(of row: Int) -> [(value: Double, column: Int)] {
    let vector = rows.vector(row)
    var all: [(value: Double, column: Int)] = []
    for column in 0..<columns.count where column != Int(excluded[row]) {
      let value = Double(scale) * innerProduct(vector, columns.vector(column)) + Double(terms[column])
      if value > -.infinity { all.append((value, column)) }
    }
    return all.sorted { ($1.value, $0.column) < ($0.value, $1.column) }
  }

  /// Asks the backend; checks the memory behind the results and the scratch.
  func run(on backend: any Backend) async throws -> (values: [Float], indices: [Int32]) {
    var workspace = Workspace(backend)
    let count = rows.count
    let slices = try workspace.upload(rows)
    let extent = Extent.whole(columns.count)
    let ranked = RankedColumns(
      count: columns.count, panels: try workspace.pack(try workspace.upload(columns), extent: extent),
      terms: try workspace.pack(
        HeadSlices(try workspace.upload(terms + Poison.floats(1), columns.count + 1, 1), channels: 1), extent: extent))
    let table = try workspace.segments(
      mutualParts == nil ? segments(panelWidth: backend.panelWidth).lengths : [columns.count])
    let cut = table.segments.count
    let lists = try workspace.upload(integers: Poison.integers(2 * k * (count * cut + 1)), count * cut + 1, k, 2)
    let indices = try workspace.upload(integers: Poison.integers((count + 1) * k), count + 1, k)
    let values = try workspace.output(count, k)
    let excluded = try workspace.upload(integers: excluded + [Poison.integer], count + 1)
    if let mutualParts {
      let best = SymmetricTopK(
        slices, columns: ranked, excluded: excluded, scale: scale, k: k, lists: lists, values: values.part,
        indices: indices)
      for index in 0..<mutualParts {
        for operation in best.operations(SymmetricPart(index, of: mutualParts)) { try workspace.append(operation) }
      }
    } else {
      let best = TopK(
        slices, rowCount: count, among: ranked, chunks: table, excluded: excluded, scale: scale, k: k, lists: lists,
        values: values.part, indices: indices)
      for operation in best.operations { try workspace.append(operation) }
    }
    try workspace.download(lists)
    try workspace.download(indices)
    try workspace.download(values.whole)
    let downloads = try await workspace.run()
    let (foundIndices, foundValues) = (downloads[1].integers, downloads[2].floats)
    guard downloads[0].integers.suffix(2 * k).allSatisfy({ $0 == Poison.integer }),
      foundIndices.suffix(k).allSatisfy({ $0 == Poison.integer }), foundValues.suffix(k).allSatisfy(Poison.isIntact)
    else { throw Mismatch("memory behind the lists was written") }
    return (Array(foundValues.dropLast(k)), Array(foundIndices.dropLast(k)))
  }

  /// Known to the bit: sums of exact draws.
  func checkExactly(on backend: any Backend) async throws {
    let (values, indices) = try await run(on: backend)
    for row in 0..<rows.count {
      let expected = ranking(of: row)
      for r in 0..<k {
        let wanted = r < expected.count ? expected[r] : (value: -.infinity, column: -1)
        let at = row * k + r
        guard values[at] == Float(wanted.value), Int(indices[at]) == wanted.column else {
          throw Mismatch(
            "row \(row), place \(r): column \(indices[at]) of \(values[at]), expected \(wanted.column) of \(wanted.value)"
          )
        }
      }
    }
  }

  /// Known within rounding: the values are those of the columns named, and no better column is left out.
  func checkWithinRounding(on backend: any Backend) async throws {
    let (values, indices) = try await run(on: backend)
    let tolerance = Tolerance.product(channels: rows.layout.channels)
    for row in 0..<rows.count {
      let expected = ranking(of: row)
      let exact = Dictionary(uniqueKeysWithValues: expected.map { ($0.column, $0.value) })
      let places = row * k..<(row + 1) * k
      guard Set(indices[places]).count == k else { throw Mismatch("row \(row) has a column twice") }
      for (r, at) in places.enumerated() {
        guard let value = exact[Int(indices[at])] else {
          throw Mismatch("row \(row), place \(r): column \(indices[at]) cannot be taken")
        }
        let slack = tolerance.allows(value)
        guard abs(Double(values[at]) - value) <= slack, abs(value - expected[r].value) <= 2 * slack,
          r == 0 || values[at] < values[at - 1] || (values[at] == values[at - 1] && indices[at] > indices[at - 1])
        else {
          throw Mismatch(
            "row \(row), place \(r): column \(indices[at]) of \(values[at]), which has \(value); "
              + "expected a value of \(expected[r].value)")
        }
      }
    }
  }
}
