internal import Engine

extension ConformanceFamily { static let store: ConformanceFamily = "store" }

/// Stored scores: `out[matrix, i, j]`, slabs larger than the matrices, nothing written beside them.
extension ConformanceKit {
  static let storedScoresCases: [ConformanceCase] = {
    typealias Layout = VectorSet.Layout
    var cases = [
      store("one cell", small: true, .init(rows: 1, columns: 1, rowLayout: Layout(channels: 1), seed: 1)),
      store(
        "whole, several heads in slices", small: true,
        .init(
          rows: 9, columns: 5, rowLayout: Layout(heads: 2, channels: 3, before: 2, between: 1, after: 1),
          columnLayout: Layout(heads: 2, channels: 3, before: 1, between: 4), scale: 0.25, seed: 2)),
      store(
        "ragged", small: true,
        .init(lengths: [3, 1, 9], rowLayout: Layout(heads: 2, channels: 4), scale: -1.5, seed: 3)),
      store(
        "ragged, not square", small: true,
        .init(lengths: [2, 7], columnLengths: [5, 1], rowLayout: Layout(channels: 5), seed: 4)),
      store(
        "ragged, not square, straddling tiles, heads in slices",
        .init(
          lengths: [1, 129, 7, 64, 48], columnLengths: [97, 1, 65, 47, 49],
          rowLayout: Layout(heads: 3, channels: 20, before: 5, between: 2, after: 3),
          columnLayout: Layout(heads: 3, channels: 20, before: 1, between: 0, after: 7),
          scale: 0.125, seed: 5)),
      store(
        "scale 0", .init(rows: 9, columns: 49, rowLayout: Layout(channels: 7), scale: 0, seed: 6)),
      store(
        "heads that share their rows", small: true,
        .init(
          rows: 3, columns: 4, rowLayout: Layout(heads: 2, channels: 4, between: -4),
          columnLayout: Layout(heads: 2, channels: 4), seed: 7)),
    ]
    for (index, columns) in [1, 47, 48, 49, 63, 64, 65, 97].enumerated() {
      cases.append(
        store(
          "whole, 9 × \(columns)",
          .init(rows: 9, columns: columns, rowLayout: Layout(channels: 17), seed: UInt64(10 + index))))
    }
    for (index, rows) in [1, 7, 8, 9, 127, 128, 129].enumerated() {
      cases.append(
        store(
          "whole, \(rows) × 50",
          .init(rows: rows, columns: 50, rowLayout: Layout(channels: 16), seed: UInt64(30 + index))))
    }
    for (index, channels) in [1, 2, 15, 16, 17, 31, 33, 64, 129].enumerated() {
      cases.append(
        store(
          "whole, \(channels) channels",
          .init(rows: 11, columns: 67, rowLayout: Layout(channels: channels), seed: UInt64(50 + index))))
    }
    let lengths = [1, 7, 8, 9, 47, 48, 49, 63, 64, 65, 97, 127, 128, 129]
    cases.append(
      store(
        "ragged, lengths straddling tiles",
        .init(lengths: lengths, rowLayout: Layout(channels: 16), scale: 0.5, seed: 70)))
    return cases
  }()

  private static func store(
    _ title: String, small: Bool = false, _ problem: PairwiseProblem
  ) -> ConformanceCase {
    let tolerance = Tolerance.product(
      channels: problem.rows.layout.channels, factor: Double(abs(problem.scale)))
    return ConformanceCase(.store, title, small: small, within: tolerance) { workspace in
      // The slabs are larger than any matrix: what is left over must stay as it was.
      let out = try workspace.output(problem.matrices, problem.longestRows + 1, problem.longestColumns + 2)
      try workspace.append(problem.stage(in: &workspace).handing(to: StoredScores(into: out)))
      return [out]
    }
  }
}

/// Two sets of vectors whose products are wanted.
struct PairwiseProblem: Sendable {
  /// Rows and columns of each segment; one of each if the problem is not ragged.
  let rowLengths: [Int]
  let columnLengths: [Int]
  let isRagged: Bool
  let scale: Float
  var rows: VectorSet
  var columns: VectorSet

  /// One set of rows against one of columns.
  init(
    rows rowCount: Int, columns columnCount: Int, rowLayout: VectorSet.Layout,
    columnLayout: VectorSet.Layout? = nil, scale: Float = 1, _ draw: Draw = .uniform, seed: UInt64
  ) {
    rowLengths = [rowCount]
    columnLengths = [columnCount]
    isRagged = false
    self.scale = scale
    rows = VectorSet(count: rowCount, rowLayout, draw, seed: seed)
    columns = VectorSet(count: columnCount, columnLayout ?? rowLayout, draw, seed: seed ^ 0xC01)
  }

  /// A set of rows against a set of columns for each sequence; as many columns as rows if not given.
  init(
    lengths: [Int], columnLengths: [Int]? = nil, rowLayout: VectorSet.Layout,
    columnLayout: VectorSet.Layout? = nil, scale: Float = 1, _ draw: Draw = .uniform, seed: UInt64
  ) {
    rowLengths = lengths
    self.columnLengths = columnLengths ?? lengths
    isRagged = true
    self.scale = scale
    rows = VectorSet(count: lengths.reduce(0, +), rowLayout, draw, seed: seed)
    columns = VectorSet(
      count: self.columnLengths.reduce(0, +), columnLayout ?? rowLayout, draw, seed: seed ^ 0xC01)
  }

  var heads: Int { rows.layout.heads }
  var matrices: Int { rowLengths.count * heads }
  var longestRows: Int { rowLengths.reduce(0, max) }
  var longestColumns: Int { columnLengths.reduce(0, max) }

  /// Brings the vectors to the device, packs the columns and describes the product.
  func stage(in workspace: inout Workspace) throws -> StagedProduct {
    let rowExtent = try extent(rowLengths, &workspace)
    let columnExtent =
      isRagged && columnLengths == rowLengths ? rowExtent : try extent(columnLengths, &workspace)
    return StagedProduct(
      rows: try workspace.upload(rows),
      columns: try workspace.pack(try workspace.upload(columns), extent: columnExtent),
      rowExtent: rowExtent, columnExtent: columnExtent, scale: scale)
  }

  private func extent(_ lengths: [Int], _ workspace: inout Workspace) throws -> Extent {
    isRagged ? .ragged(try workspace.segments(lengths)) : .whole(lengths[0])
  }
}

/// A product that lacks only its epilogue.
struct StagedProduct {
  let rows: HeadSlices
  let columns: Panels
  let rowExtent: Extent
  let columnExtent: Extent
  let scale: Float

  func handing(to epilogue: any PairwiseEpilogue) -> any DeviceOperation {
    PairwiseProduct(
      rows: rows, columns: columns, rowExtent: rowExtent, columnExtent: columnExtent,
      scale: scale, epilogue: epilogue)
  }
}
