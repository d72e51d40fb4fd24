/// The sequences of a ragged batch: they lie one after the other in the rows of a tensor, without padding.
public struct Segments: Sendable, Hashable {
  /// Rows of each sequence; all positive.
  public let lengths: [Int]

  /// Sequences of these lengths, which must be positive.
  public init(lengths: [Int]) {
    precondition(!lengths.isEmpty && lengths.allSatisfy { $0 > 0 })
    self.lengths = lengths
  }

  /// How many sequences.
  public var count: Int { lengths.count }
  /// Rows of all sequences.
  public var rowCount: Int { lengths.reduce(0, +) }
  /// Rows of the longest.
  public var longest: Int { lengths.reduce(0, max) }

  /// Panels of `width` columns that hold all sequences, each starting a panel of its own.
  public func panelCount(width: Int) -> Int {
    lengths.reduce(0) { $0 + ($1 + width - 1) / width }
  }

  /// What the kernels read: first row, rows, first panel and a spare word for each sequence.
  public func table(panelWidth: Int) -> [Int32] {
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
  public var positions: [Int32] { lengths.flatMap { 0..<Int32($0) } }
}

/// Segments and their table on a device.
public struct SegmentTable: Sendable {
  /// The sequences.
  public let segments: Segments
  /// int32 `[segments, 4]`, see ``Segments/table(panelWidth:)``.
  public let tensor: Tensor
  /// The width of the panels that the table counts.
  public let panelWidth: Int

  package init(_ segments: Segments, tensor: Tensor, panelWidth: Int) {
    self.segments = segments
    self.tensor = tensor
    self.panelWidth = panelWidth
  }
}

/// How many vectors stand on one side of a product: one set, or one set a sequence.
public enum Extent: Sendable {
  /// One set of so many.
  case whole(Int)
  /// A set for each sequence.
  case ragged(SegmentTable)

  /// How many sets.
  public var matrices: Int {
    switch self {
    case .whole: 1
    case .ragged(let table): table.segments.count
    }
  }

  /// Vectors of all sets.
  public var rowCount: Int {
    switch self {
    case .whole(let count): count
    case .ragged(let table): table.segments.rowCount
    }
  }

  /// Vectors of the largest set.
  public var longest: Int {
    switch self {
    case .whole(let count): count
    case .ragged(let table): table.segments.longest
    }
  }

  /// Panels of `width` columns that hold all sets, each starting a panel of its own.
  public func panelCount(width: Int) -> Int {
    switch self {
    case .whole(let count): (count + width - 1) / width
    case .ragged(let table): table.segments.panelCount(width: width)
    }
  }

  /// The sequences; nil if the extent is whole.
  public var table: SegmentTable? { if case .ragged(let table) = self { table } else { nil } }
}

extension Extent {
  /// Vectors of each matrix's side.
  var lengths: [Int] {
    switch self {
    case .whole(let count): [count]
    case .ragged(let table): table.segments.lengths
    }
  }

  /// Checks that a segment table counts panels of this width.
  package func requireWidth(_ width: Int, _ name: StaticString) throws(EngineError) {
    guard let table else { return }
    try require(
      table.panelWidth == width, name,
      "the segment table counts panels of \(table.panelWidth), the panels have \(width)")
    try require(table.tensor, holds: 4 * table.segments.count, name, "the segment table", of: .int32)
  }
}
