internal import Engine

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
    return ConformanceCase(.pack, "transposed, \(rows) × \(layout.channels)\(slice)", small: small) { backend in
      let matrix = VectorSet(count: rows, layout, .uniform, seed: 711)
      var workspace = Workspace(backend)
      let panels = try workspace.packTransposed(try workspace.upload(matrix), rows: rows)
      try workspace.download(panels.tensor)
      let elements = try await workspace.run()[0].floats

      let vectors = (0..<rows).map { matrix.vector($0) }
      var expected: [Double?] = []
      for panel in 0..<Extent.whole(layout.channels).panelCount(width: panels.width) {
        for row in 0..<rows {
          for lane in 0..<panels.width {
            let column = panel * panels.width + lane
            expected.append(column < layout.channels ? vectors[row][column] : 0)
          }
        }
      }
      try compare(
        elements, with: expected, shape: panels.tensor.shape, within: .exact, "panel element")
    }
  }
}
