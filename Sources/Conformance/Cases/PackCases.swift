internal import Engine

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
      ConformanceCase(.pack, "writes its panels only", small: true) { backend in
        try await writesItsPanels(on: backend)
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
    ConformanceCase(.pack, title, small: small) { backend in
      let columns = VectorSet(count: lengths.reduce(0, +), layout, .uniform, seed: 701)
      var units = VectorSet(
        count: layout.channels * lengths.count,
        .init(heads: layout.heads, channels: layout.channels), .exact, seed: 1)
      units.fill { row, _, channel in row % layout.channels == channel ? 1 : 0 }

      var workspace = Workspace(backend)
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
          columnExtent: columnExtent, epilogue: StoredScores(into: out.part)))
      let result = try await workspace.run(reading: out)

      var expected = [Double?](
        repeating: nil, count: lengths.count * layout.heads * layout.channels * longest)
      var first = 0
      for (segment, length) in lengths.enumerated() {
        for head in 0..<layout.heads {
          for j in 0..<length {
            let vector = columns.vector(first + j, head: head)
            let turned = isRotated ? rotated(vector, position: j) : vector
            for c in 0..<layout.channels {
              let matrix = segment * layout.heads + head
              expected[(matrix * layout.channels + c) * longest + j] = turned[c]
            }
          }
        }
        first += length
      }
      try compare(
        result, with: expected, shape: [lengths.count * layout.heads, layout.channels, longest],
        within: isRotated ? Tolerance(absolute: 5e-7) : .exact)
    }
  }

  /// Lanes past a segment's end are zero, and panels past the last are left alone.
  private static func writesItsPanels(on backend: any Backend) async throws {
    let layout = VectorSet.Layout(heads: 2, channels: 3)
    let lengths = [2, 1]
    let columns = VectorSet(count: 3, layout, .uniform, seed: 702)
    var workspace = Workspace(backend)
    let extent = Extent.ragged(try workspace.segments(lengths))
    let panels = try workspace.pack(try workspace.upload(columns), extent: extent)
    try workspace.download(panels.tensor)
    let elements = try await workspace.run()[0].floats

    let width = panels.width
    var expected: [Double?] = []
    var first = 0
    for length in lengths {
      for panel in 0..<(length + width - 1) / width {
        for head in 0..<layout.heads {
          for c in 0..<layout.channels {
            for lane in 0..<width {
              let j = panel * width + lane
              expected.append(j < length ? columns.vector(first + j, head: head)[c] : 0)
            }
          }
        }
      }
      first += length
    }
    try compare(
      elements, with: expected, shape: panels.tensor.shape, within: .exact, "panel element")
  }
}
