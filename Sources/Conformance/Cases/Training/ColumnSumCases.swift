internal import Engine

/// Sums of a matrix's columns.
extension ConformanceKit {
  static let columnSumCases: [ConformanceCase] = {
    typealias Layout = VectorSet.Layout
    var cases = [
      columnSum(small: true, rows: 1, Layout(channels: 1)),
      columnSum(small: true, rows: 3, Layout(channels: 21, before: 3, after: 2), .exact),
      columnSum(rows: 2048, Layout(channels: 67)),
      columnSum(rows: 129, Layout(channels: 1280, before: 1, after: 3), .exact),
      ConformanceCase(.columnSum, "adds the rows in order", small: true) { backend in
        try await addsInOrder(on: backend)
      },
    ]
    for rows in [2, 7, 8, 9, 17] { cases.append(columnSum(rows: rows, Layout(channels: 33))) }
    for columns in [15, 16, 17, 63, 64, 65, 255, 256, 257] {
      cases.append(columnSum(rows: 11, Layout(channels: columns)))
    }
    return cases
  }()

  private static func columnSum(
    small: Bool = false, rows: Int, _ layout: VectorSet.Layout, _ draw: Draw = .uniform
  ) -> ConformanceCase {
    let slice = layout.width == layout.channels ? "" : " of \(layout.width)"
    return ConformanceCase(.columnSum, "\(rows) × \(layout.channels)\(slice)", small: small) { backend in
      let matrix = VectorSet(count: rows, layout, draw, seed: 1101)
      let result = try await sums(of: matrix, on: backend)
      var expected = [Double](repeating: 0, count: layout.channels)
      for row in 0..<rows {
        for (c, value) in matrix.vector(row).enumerated() { expected[c] += value }
      }
      var tolerance = Tolerance.product(channels: rows)
      if case .exact = draw { tolerance = .exact }
      try compare(result, with: expected, shape: [layout.channels], within: tolerance)
    }
  }

  /// In order a one is lost in what comes before it, and only then.
  private static func addsInOrder(on backend: any Backend) async throws {
    guard backend.device.kind != .reference else { throw Skip(reason: "the reference sums in Double") }
    var matrix = VectorSet(count: 4, .init(channels: 2), .exact, seed: 1)
    let columns: [[Float]] = [[0x1p24, 1, -0x1p24, 1], [1, 0x1p24, -0x1p24, 1]]
    matrix.fill { row, _, channel in columns[channel][row] }
    let result = try await sums(of: matrix, on: backend)
    // 2²⁴ + 1 rounds to 2²⁴.
    try compare(result, with: [1, 1], shape: [2], within: .exact)
  }

  private static func sums(of matrix: VectorSet, on backend: any Backend) async throws -> [Float] {
    var workspace = Workspace(backend)
    let out = try workspace.output(matrix.layout.channels)
    try workspace.append(
      ColumnSum(of: try workspace.upload(matrix), rows: matrix.count, into: out.part))
    return try await workspace.run(reading: out)
  }
}
