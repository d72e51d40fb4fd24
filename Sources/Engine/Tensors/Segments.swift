/// The sequences of a ragged batch: they lie one after the other in the rows of a tensor, without padding.
package struct Segments: Sendable, Hashable {
  /// Rows of each sequence; all positive.
  package let lengths: [Int]

  package init(lengths: [Int]) {
    precondition(!lengths.isEmpty && lengths.allSatisfy { $0 > 0 })
    self.lengths = lengths
  }

  package var count: Int { lengths.count }
  package var rowCount: Int { lengths.reduce(0, +) }
  package var longest: Int { lengths.reduce(0, max) }

  /// Panels of `width` columns that hold all sequences, each starting a panel of its own.
  package func panelCount(width: Int) -> Int {
    lengths.reduce(0) { $0 + ($1 + width - 1) / width }
  }

  /// What the kernels read: first row, rows, first panel and a spare word for each sequence.
  package func table(panelWidth: Int) -> [Int32] {
    var table: [Int32] = []
    table.reserveCapacity(4 * count)
    var row = 0
    var panel = 0
    for length in lengths {
      table += [Int32(row), Int32(length), Int32(panel), 0]
      row += length
      panel += (length + panelWidth - 1) / panelWidth
    }
    return table
  }

  /// Each row's index within its own sequence.
  package var positions: [Int32] { lengths.flatMap { 0..<Int32($0) } }
}

/// Segments and their table on a device.
package struct SegmentTable: Sendable {
  package let segments: Segments
  package let tensor: Tensor
  package let panelWidth: Int

  package init(_ segments: Segments, tensor: Tensor, panelWidth: Int) {
    self.segments = segments
    self.tensor = tensor
    self.panelWidth = panelWidth
  }
}

/// How many vectors stand on one side of a product: one set, or one set a sequence.
package enum Extent: Sendable {
  case whole(Int)
  case ragged(SegmentTable)

  package var matrices: Int {
    switch self {
    case .whole: 1
    case .ragged(let table): table.segments.count
    }
  }

  package var rowCount: Int {
    switch self {
    case .whole(let count): count
    case .ragged(let table): table.segments.rowCount
    }
  }

  package var longest: Int {
    switch self {
    case .whole(let count): count
    case .ragged(let table): table.segments.longest
    }
  }

  package func panelCount(width: Int) -> Int {
    switch self {
    case .whole(let count): (count + width - 1) / width
    case .ragged(let table): table.segments.panelCount(width: width)
    }
  }

  package var table: SegmentTable? { if case .ragged(let table) = self { table } else { nil } }
}
