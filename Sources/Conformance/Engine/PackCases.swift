internal import Engine

extension ConformanceFamily { static let pack: ConformanceFamily = "pack" }

/// Packed columns, read back through products with unit vectors: score `[c, j]` is channel `c` of
/// column `j`, to the bit, whatever layout the backend chose.
extension ConformanceKit {
  static let packCases: [ConformanceCase] = {
    typealias Layout = VectorSet.Layout
    let sliced = Layout(heads: 2, channels: 6, before: 3, between: 1, after: 2)
    var cases = [
      pack("whole, heads in slices", small: true, lengths: [5], isRagged: false, sliced),
      pack("ragged", small: true, lengths: [2, 1, 4], Layout(channels: 3)),
      pack("ragged, rotated", small: true, lengths: [2, 1, 4], sliced, isRotated: true),
      pack("whole, rotated", small: true, lengths: [5], isRagged: false, sliced, isRotated: true),
      pack("ragged, straddling tiles", lengths: seams, Layout(heads: 2, channels: 16, after: 5)),
      pack("ragged, straddling tiles, rotated", lengths: seams, sliced, isRotated: true),
      ConformanceCase(.pack, "writes its panels only", small: true) { engine in
        try await writesItsPanels(on: engine)
      },
      ConformanceCase(.pack, "greatest of neighbours", small: true) { engine in
        try await findsPeaks(on: engine, lengths: [2, 1])
      },
      ConformanceCase(.pack, "greatest of neighbours, straddling tiles") { engine in
        try await findsPeaks(on: engine, lengths: seams)
      },
    ]
    for channels in [1, 15, 17, 33, 64] {
      cases.append(
        pack("whole, \(channels) channels", lengths: [65], isRagged: false, Layout(channels: channels)))
    }
    for channels in [2, 14, 18, 64] {
      cases.append(
        pack("\(channels) channels, rotated", lengths: [49, 65], Layout(channels: channels), isRotated: true))
    }
    return cases
  }()

  private static let seams = [1, 47, 48, 49, 63, 64, 65, 97]

  private static func pack(
    _ title: String, small: Bool = false, lengths: [Int], isRagged: Bool = true,
    _ layout: VectorSet.Layout, isRotated: Bool = false
  ) -> ConformanceCase {
    ConformanceCase(
      .pack, title, small: small, within: isRotated ? Tolerance(absolute: 5e-7) : .exact
    ) { workspace in
      let columns = VectorSet(count: lengths.reduce(0, +), layout, .uniform, seed: 701)
      var units = VectorSet(
        count: layout.channels * lengths.count,
        .init(heads: layout.heads, channels: layout.channels), .exact, seed: 1)
      units.fill { row, _, channel in row % layout.channels == channel ? 1 : 0 }

      let longest = lengths.reduce(0, max)
      let rowExtent: Extent =
        isRagged
        ? .ragged(try workspace.segments(lengths.map { _ in layout.channels }))
        : .whole(layout.channels)
      let columnExtent: Extent =
        isRagged ? .ragged(try workspace.segments(lengths)) : .whole(longest)
      let table =
        isRotated
        ? try workspace.rotaryTable(positions: longest, channels: layout.channels) : nil
      let panels = try workspace.pack(
        try workspace.upload(columns), extent: columnExtent, rotary: table)
      let out = try workspace.output(lengths.count * layout.heads, layout.channels, longest)
      try workspace.append(
        PairwiseProduct(
          rows: try workspace.upload(units), columns: panels, rowExtent: rowExtent,
          columnExtent: columnExtent, epilogue: StoredScores(into: out)))
      return [out]
    }
  }

  /// Lanes past a segment's end are zero, and panels past the last are left alone.
  private static func writesItsPanels(on engine: Engine) async throws {
    try await compareWithReference(engine, comparesPanels: true) { workspace in
      let columns = VectorSet(count: 3, .init(heads: 2, channels: 3), .uniform, seed: 702)
      let extent = Extent.ragged(try workspace.segments([2, 1]))
      let panels = try workspace.pack(try workspace.upload(columns), extent: extent)
      return [ComparedOutput(panels.tensor, within: .exact, "panel element")]
    }
  }
}

extension ConformanceKit {
  /// Of numbers below 0, too, beside which empty lanes are the greatest.
  private static func findsPeaks(on engine: Engine, lengths: [Int]) async throws {
    try await compareWithReference(engine, comparesPanels: true) { workspace in
      let columns = VectorSet(count: lengths.reduce(0, +), .init(heads: 2, channels: 5), .uniform, seed: 703)
      let extent = Extent.ragged(try workspace.segments(lengths))
      let (panels, peaks) = try workspace.packWithPeaks(try workspace.upload(columns), extent: extent)
      return [
        ComparedOutput(panels.tensor, within: .exact, "panel element"), ComparedOutput(peaks, within: .exact, "peak"),
      ]
    }
  }
}

/// Columns of a matrix laid out as panels, read back element by element.
extension ConformanceKit {
  static let packTransposedCases: [ConformanceCase] = {
    typealias Layout = VectorSet.Layout
    var cases = [
      packTransposed(small: true, rows: 1, Layout(channels: 1)),
      packTransposed(small: true, rows: 5, Layout(channels: 67, before: 3, after: 2)),
      packTransposed(rows: 129, Layout(channels: 384)),
      packTransposed(rows: 131, Layout(channels: 257, before: 1, after: 130)),
    ]
    for columns in [3, 47, 48, 49, 63, 64, 65, 96, 97, 127, 128, 129] {
      cases.append(packTransposed(rows: 7, Layout(channels: columns)))
    }
    return cases
  }()

  private static func packTransposed(
    small: Bool = false, rows: Int, _ layout: VectorSet.Layout
  ) -> ConformanceCase {
    let slice = layout.width == layout.channels ? "" : " of \(layout.width)"
    return ConformanceCase(.pack, "transposed, \(rows) × \(layout.channels)\(slice)", small: small) { engine in
      try await compareWithReference(engine, comparesPanels: true) { workspace in
        let matrix = VectorSet(count: rows, layout, .uniform, seed: 711)
        let panels = try workspace.packTransposed(try workspace.upload(matrix), rows: rows)
        return [ComparedOutput(panels.tensor, within: .exact, "panel element")]
      }
    }
  }
}
