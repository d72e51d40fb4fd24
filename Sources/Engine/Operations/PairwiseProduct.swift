/// `score[s, h, i, j] = scale · <rows[s, i, h], columns[s, j, h]>`, handed tile by tile to an epilogue.
///
/// The matrix of scores exists only if the epilogue stores it (``StoredScores``).
public struct PairwiseProduct: DeviceOperation {
  /// Row-major vectors, float32.
  public var rows: HeadSlices
  /// As many heads and channels as the rows have, in panels (``PackColumns``).
  public var columns: Panels
  /// How many rows there are, or how many in each segment.
  public var rowExtent: Extent
  /// Likewise for columns. Both sides are ragged with as many segments, or neither is, unless the epilogue takes chunks.
  public var columnExtent: Extent
  /// Turns each row by its index within its segment before it is multiplied.
  package var rotation: RowRotation?
  /// What inner products are multiplied by.
  public var scale: Float
  /// Who consumes the scores.
  public var epilogue: any PairwiseEpilogue

  /// A product of two sets of vectors.
  public init(
    rows: HeadSlices, columns: Panels, rowExtent: Extent, columnExtent: Extent, scale: Float = 1,
    epilogue: any PairwiseEpilogue
  ) {
    self.rows = rows
    self.columns = columns
    self.rowExtent = rowExtent
    self.columnExtent = columnExtent
    self.scale = scale
    self.epilogue = epilogue
  }

  /// Matrices of scores: one for each segment and head.
  public var matrices: Int { rowExtent.matrices * rows.heads }

  /// Cells of all matrices.
  public var cellCount: Int {
    var cells = 0
    for (rows, columns) in zip(rowExtent.lengths, columnExtent.lengths) {
      let (sum, overflow) = cells.addingReportingOverflow(rows.multipliedClamping(by: columns))
      cells = overflow ? .max : sum
    }
    return cells.multipliedClamping(by: rows.heads)
  }

  /// Checks both sides, then the epilogue.
  public func validate() throws(EngineError) {
    let name: StaticString = "pairwise product"
    try rows.validate(name, rows: rowExtent.rowCount)
    try require(
      rows.heads == columns.heads && rows.channels == columns.channels, name,
      "rows have \(rows.heads) heads of \(rows.channels) channels, columns \(columns.heads) of \(columns.channels)"
    )
    try require(
      !epilogue.takesChunks || epilogue.isStateful, name,
      "an epilogue that takes chunks of columns keeps something from panel to panel: it must be stateful")
    if !epilogue.takesChunks {
      try require(
        (rowExtent.table == nil) == (columnExtent.table == nil), name,
        "rows and columns must both be ragged, or neither")
      try require(
        rowExtent.matrices == columnExtent.matrices, name,
        "rows have \(rowExtent.matrices) segments, columns \(columnExtent.matrices)")
    }
    try columns.requirePanels(of: columnExtent, name)
    try rowExtent.requireWidth(columns.width, name)
    try rotation?.validate(for: self, name)
    try require(scale.isFinite, name, "the scale must be finite")
    try epilogue.validate(for: self)
  }

  /// What the epilogue says the product leaves in memory.
  public func reference(_ memory: HostMemory) throws(EngineError) { try epilogue.reference(of: self, memory) }

  /// What the epilogue says computes it.
  public func launches(_ tiles: TileShape) -> [KernelLaunch] {
    guard let rotation, !rotation.isFused(self, tiles) else { return epilogue.launches(of: self, tiles) }
    var turned = self
    (turned.rows, turned.rotation) = (rotation.turned, nil)
    return rotation.turning(rows, count: rowExtent.rowCount).launches(tiles) + epilogue.launches(of: turned, tiles)
  }

  /// An epilogue that keeps nothing from panel to panel takes tiles of any height. A list in any order has no bits to
  /// compare, and one that runs over keeps what comes first.
  public func tuning(_ tiles: TileShape) -> TuningSpace? {
    guard !epilogue.isStateful, !epilogue.takesChunks, epilogue.isOrdered else { return nil }
    let name = epilogue.header.name.split(separator: "/").last.map(String.init) ?? epilogue.header.name
    // Divisors of a panel: an epilogue may look up where in a panel the rows of a tile lie.
    let knobs = tiles.productKnobs(
      rows: rowExtent.longest, panels: ceilingDivide(columnExtent.longest, columns.width), itemRows: [16, 24])
    return TuningSpace(
      "product \(name), \(rows.heads) x \(columns.channels), rows \(TuningSpace.bucket(rowExtent.rowCount))",
      knobs: knobs)
  }
}

/// Who consumes the scores of a ``PairwiseProduct``: a value with a header of OpenCL C, its arguments by name, and what it
/// means. Weft's own epilogues and those of other packages are alike.
public protocol PairwiseEpilogue: Sendable {
  /// Whether the segments of the columns are chunks of one set of columns, each of which every row meets.
  var takesChunks: Bool { get }

  /// What `Kernels/pairwise/pairwise.cl` includes as `epilogue`; that file says what it must define.
  var header: KernelSource { get }

  /// Whether the header keeps something from panel to panel, and so has the hooks of a stateful epilogue. Then a group
  /// walks all panels of its rows; if not, a GPU has a group for each.
  var isStateful: Bool { get }

  /// Whether each result has its place; if not, they are a list in any order.
  var isOrdered: Bool { get }

  /// Whether its scores are computed at the engine's precision; if not, in float32 always.
  var followsPrecision: Bool { get }

  /// Macros that the header is compiled with.
  var defines: [String: String] { get }

  /// Macros that stand for the header's own parameters, with their values: a GPU's kernels are compiled with them.
  var constants: [String: String] { get }

  /// Checks that the epilogue fits the product, whose own parts were checked before.
  /// - Throws: `EngineError` of kind `invalidOperation` that says what does not fit.
  func validate(for product: PairwiseProduct) throws(EngineError)

  /// The header's parameters, in its order.
  func arguments(of product: PairwiseProduct) -> KernelArguments

  /// What the product with this epilogue leaves in memory, as plainly as possible (``PairwiseProduct/forEachCell(_:_:)``).
  /// - Throws: `EngineError` if a tensor is another device's.
  func reference(of product: PairwiseProduct, _ memory: HostMemory) throws(EngineError)

  /// The kernels that compute it: one of the whole product, or of its chunks, unless an epilogue says otherwise.
  func launches(of product: PairwiseProduct, _ tiles: TileShape) -> [KernelLaunch]

  /// Rows that a work-item holds when `rowCount` rows meet all chunks of the columns; of epilogues that take chunks.
  func chunkRows(_ rowCount: Int, _ tiles: TileShape) -> Int
}

extension PairwiseEpilogue {
  /// The segments of both sides belong together.
  public var takesChunks: Bool { false }
  /// It keeps nothing.
  public var isStateful: Bool { false }
  /// It has.
  public var isOrdered: Bool { true }
  /// Scores are exact unless an epilogue says that they need not be.
  public var followsPrecision: Bool { false }
  /// None.
  public var defines: [String: String] { [:] }
  /// None.
  public var constants: [String: String] { [:] }

  /// One kernel, of the whole product or of its chunks.
  public func launches(of product: PairwiseProduct, _ tiles: TileShape) -> [KernelLaunch] {
    if takesChunks, case .ragged(let chunks) = product.columnExtent { return [product.launch(tiles, meeting: chunks)] }
    return [product.launch(tiles)]
  }

  /// 8, or 1 for a single row.
  public func chunkRows(_ rowCount: Int, _ tiles: TileShape) -> Int {
    // A single row needs none beside it, and has the same bits.
    tiles.variant == .cpu && rowCount == 1 ? 1 : TileShape.registerRows
  }
}

/// The rotation of a product's rows (``RotateRows``).
package struct RowRotation: Sendable {
  package var table: RotaryTable
  /// `[rows]` int32: each row's index within its segment.
  package var positions: Tensor
  /// Scratch for turned rows, as many heads and channels: devices without room for them beside a tile need it.
  package var turned: HeadSlices

  package init(_ table: RotaryTable, positions: Tensor, turned: HeadSlices) {
    self.table = table
    self.positions = positions
    self.turned = turned
  }

  /// The most channels that are turned in a work-item's own memory, see `Kernels/pairwise/pairwise.cl`.
  private static let fusedChannels = 256

  /// Whether the product's kernel turns rows as it reads them. A GPU would do so again for each panel of columns.
  func isFused(_ product: PairwiseProduct, _ tiles: TileShape) -> Bool {
    let isExact = !product.epilogue.followsPrecision || tiles.precisionDefines.isEmpty
    return tiles.variant == .cpu && isExact && product.rows.channels <= Self.fusedChannels
  }

  func turning(_ rows: HeadSlices, count: Int) -> RotateRows {
    RotateRows(rows, rows: count, positions: positions, rotary: table, into: turned)
  }

  func validate(for product: PairwiseProduct, _ name: StaticString) throws(EngineError) {
    try require(
      !product.epilogue.isStateful && !product.epilogue.takesChunks, name,
      "rows are turned for epilogues that keep nothing from panel to panel and take all columns")
    try turning(product.rows, count: product.rowExtent.rowCount).validate()
    try table.validate(name, channels: product.rows.channels, positions: product.rowExtent.longest)
  }

  /// Turns a vector at a position, rounded as it is stored.
  func reference(
    _ memory: HostMemory
  ) throws(EngineError) -> (_ vector: [Double], _ position: Int) -> [Double] {
    let elements = try memory.floats(table.tensor)
    return { vector, position in
      RotaryTable.rotated(vector, position: position, elements).map { Double(Float($0)) }
    }
  }
}

/// A cell of a product with its score.
public struct ScoredCell: Sendable {
  /// `scale` times the inner product, summed in Double.
  public let score: Double
  /// The segment, and the head within it.
  public let segment: Int
  /// The head.
  public let head: Int
  /// `segment · heads + head`
  public let matrix: Int
  /// Counted within the segment.
  public let row: Int
  /// Counted within the segment.
  public let column: Int
  /// Where the segment's rows lie.
  public let rows: SegmentBounds
  /// Where its columns lie.
  public let columns: SegmentBounds
}

// What references are made of.
extension PairwiseProduct {
  /// Calls `body` for every cell: segment by segment, head by head, row by row.
  /// - Throws: `EngineError` if a tensor is another device's.
  public func forEachCell(_ memory: HostMemory, _ body: (ScoredCell) -> Void) throws(EngineError) {
    let rowVectors = try memory.vectors(rows)
    let turn = try rotation?.reference(memory)
    let columnVectors = try memory.vectors(columns)
    let rowBounds = rowExtent.segmentBounds(panelWidth: columns.width)
    let columnBounds = columnExtent.segmentBounds(panelWidth: columns.width)
    for (segment, (rowSegment, columnSegment)) in zip(rowBounds, columnBounds).enumerated() {
      for head in 0..<rows.heads {
        let segmentColumns = (0..<columnSegment.count).map {
          columnVectors.vector(start: columnSegment.firstPanel, index: $0, head: head, channels: columns.channels)
        }
        for i in 0..<rowSegment.count {
          var row = rowVectors.vector(start: rowSegment.firstRow, index: i, head: head, channels: rows.channels)
          if let turn { row = turn(row, i) }
          for j in 0..<columnSegment.count {
            body(
              ScoredCell(
                score: Double(scale) * dot(row, segmentColumns[j]), segment: segment, head: head,
                matrix: segment * rows.heads + head, row: i, column: j, rows: rowSegment, columns: columnSegment))
          }
        }
      }
    }
  }
}

// What launches are made of.
extension PairwiseProduct {
  /// On a CPU device, and where the epilogue is stateful, a group walks all panels of its rows.
  ///
  /// - Parameters:
  ///   - tiles: the device's.
  ///   - defines: macros besides those of the epilogue.
  ///   - panelsPerItem: how many panels a group walks; all if nil. On a GPU it is one if the epilogue is not stateful.
  /// - Returns: one start of `Kernels/pairwise/pairwise.cl`.
  public func launch(
    _ tiles: TileShape, defines: [String: String] = [:], panelsPerItem: Int? = nil
  ) -> KernelLaunch {
    let isSplit = tiles.variant == .gpu && !epilogue.isStateful
    let panelsPerItem =
      isSplit
      ? 1
      : tiles.choice[TileChoice.panelsPerItem] ?? panelsPerItem ?? panelsOfChunk
    var defines = defines
    var extents: KernelArguments = ["row_count": .int(rowExtent.rowCount), "column_count": .int(columnExtent.rowCount)]
    if let rowTable = rowExtent.table, let columnTable = columnExtent.table {
      defines["PW_RAGGED"] = "1"
      extents = ["row_segments": .tensor(rowTable.tensor), "column_segments": .tensor(columnTable.tensor)]
    }
    return launch(
      tiles, defines: defines, panelsPerItem: panelsPerItem, extents: extents,
      grid: PairwiseGrid(
        rowGroups: ceilingDivide(rowExtent.longest, tiles.productRows()),
        chunks: ceilingDivide(ceilingDivide(columnExtent.longest, columns.width), panelsPerItem),
        matrices: rowExtent.matrices * rows.heads))
  }

  /// Panels that a group walks: all where the epilogue needs it, else as many as stay in a processor's second cache while
  /// row tile after row tile meets them.
  private var panelsOfChunk: Int {
    let all = ceilingDivide(columnExtent.longest, columns.width)
    let panelBytes = columns.channels.multipliedClamping(by: columns.width).multipliedClamping(by: 4)
    return epilogue.isStateful ? all : min(all, max(1, Self.chunkBytes / panelBytes))
  }

  /// A quarter of a second cache of 1 MiB.
  private static let chunkBytes = 1 << 18

  /// All rows meet each chunk of the columns.
  fileprivate func launch(_ tiles: TileShape, meeting chunks: SegmentTable) -> KernelLaunch {
    let rowCount = rowExtent.rowCount
    let itemRows = epilogue.chunkRows(rowCount, tiles)
    // Row tiles a group takes to each panel: columns that lie beyond the cache are read less often.
    let chunkTiles = tiles.variant == .cpu ? 8 : 1
    return launch(
      tiles, defines: ["PW_CHUNKED": "1", "PW_TILES": "\(chunkTiles)", "PW_ROWS": "\(itemRows)"], panelsPerItem: 0,
      extents: ["row_count": .int(rowCount), "column_segments": .tensor(chunks.tensor)],
      grid: PairwiseGrid(
        rowGroups: ceilingDivide(rowCount, itemRows * tiles.groupRows * chunkTiles), chunks: chunks.segments.count,
        matrices: rows.heads))
  }

  /// The kernel of `Kernels/pairwise/pairwise.cl` with this product's epilogue and a grid of the caller's.
  package func launch(
    _ tiles: TileShape, defines: [String: String], panelsPerItem: Int, extents: KernelArguments, grid: PairwiseGrid
  ) -> KernelLaunch {
    var defines = defines.merging(epilogue.defines) { $1 }.merging(tiles.constants(epilogue.constants)) { $1 }
    if epilogue.isStateful { defines["PW_STATEFUL"] = "1" }
    if rotation != nil { defines["PW_ROTATE_ROWS"] = "1" }
    if epilogue.followsPrecision { defines.merge(tiles.precisionDefines) { $1 } }
    defines.merge(tiles.choice.macros) { $1 }
    return KernelLaunch(
      KernelSource(stringLiteral: "pairwise/pairwise.cl").including(epilogue.header, as: "epilogue"), "pairwise", tiles,
      defines: defines,
      arguments: rows.arguments("rows", prefix: "row_")
        + [
          "panels": .tensor(columns.tensor), "heads": .int(rows.heads), "channels": .int(columns.channels),
          "scale": .float(scale), "panels_per_item": .int(panelsPerItem),
        ] + grid.arguments + extents + (rotation.map { ["rotary": .tensor($0.table.tensor)] } ?? [:])
        + epilogue.arguments(of: self),
      groups: grid.groups, groupSize: tiles.group)
  }
}

// What products can be tuned to; the macros are documented in `Kernels/pairwise/shape.clh` and in the two tiles.
extension TileShape {
  /// Rows of a group of `Kernels/pairwise/pairwise.cl`, whose work-items hold `itemRows` without a choice.
  func productRows(itemRows: Int = registerRows) -> Int { (choice["PW_ROWS"] ?? itemRows) * groupRows }

  /// What changes how fast a product is and not its sums, each of which is one chain over the channels in any tile.
  ///
  /// - Parameters:
  ///   - rows: the product's.
  ///   - panels: of its columns.
  ///   - itemRows: rows that a work-item can hold on a CPU device, the default left out.
  /// - Returns: the numbers; none for units other than float32, whose tiles are what the units ask for.
  func productKnobs(rows: Int, panels: Int, itemRows: [Int]) -> [TuningSpace.Knob] {
    guard units == .float32 else { return [] }
    switch variant {
    case .cpu:
      var knobs = [
        // A tile much higher than the rows would hold what is not there. What is the default depends on the compiler's
        // target: one of the two is it.
        TuningSpace.Knob("PW_ROWS", itemRows.filter { $0 < 2 * rows }), TuningSpace.Knob("PW_BLOCKED", [0, 1]),
      ]
      if panels > 1 { knobs.append(TuningSpace.Knob(TileChoice.panelsPerItem, panels > 4 ? [2, 4] : [2])) }
      knobs.append(TuningSpace.Knob("PW_DEPTH_CPU", [64, 256]))
      return knobs
    case .gpu:
      return [
        TuningSpace.Knob(TileChoice.groupRows, [8, 4].filter { $0 < groupRows }),
        TuningSpace.Knob("PW_DEPTH", [8, 32]),
        TuningSpace.Knob("PW_UNROLL", [4, 16]),
      ]
    }
  }
}

/// The grid of `Kernels/pairwise/pairwise.cl`: matrix after matrix, chunk after chunk, in one dimension.
package struct PairwiseGrid: Sendable {
  /// Groups that share the rows of a matrix.
  package var rowGroups: Int
  /// Parts that a matrix's columns are cut into.
  package var chunks = 1
  /// One for each segment and head.
  package var matrices = 1

  package init(rowGroups: Int, chunks: Int = 1, matrices: Int = 1) {
    self.rowGroups = rowGroups
    self.chunks = chunks
    self.matrices = matrices
  }

  package var arguments: KernelArguments { ["row_groups": .int(rowGroups), "chunks": .int(chunks)] }

  package var groups: [Int] { [rowGroups.multipliedClamping(by: chunks).multipliedClamping(by: matrices)] }
}

/// The epilogue that writes every cell into `[matrices, slab rows, slab columns]`; cells of a slab outside a segment stay
/// as they were.
public struct StoredScores: PairwiseEpilogue {
  /// float32 `[matrices, rows, columns]`, as large as the largest matrix at least.
  public var out: Tensor

  /// Scores that are written to a tensor.
  public init(into out: Tensor) { self.out = out }

  /// `Kernels/pairwise/epilogue_store.clh`
  public var header: KernelSource { "pairwise/epilogue_store.clh" }

  /// Yes.
  public var followsPrecision: Bool { true }

  /// Checks that the scores have room.
  public func validate(for product: PairwiseProduct) throws(EngineError) {
    let name: StaticString = "pairwise product"
    try require(
      out.shape.count == 3 && out.elementType == .float32, name,
      "the stored scores must be float32 [matrices, rows, columns]")
    try require(
      out.shape[0] >= product.matrices && out.shape[1] >= product.rowExtent.longest
        && out.shape[2] >= product.columnExtent.longest, name,
      "scores \(out.shape) are too small for \(product.matrices) matrices of \(product.rowExtent.longest) × \(product.columnExtent.longest)"
    )
    for input in [product.rows.tensor, product.columns.tensor] { try require(out, isNot: input, name) }
  }

  /// The tensor and the size of its slabs.
  public func arguments(of product: PairwiseProduct) -> KernelArguments {
    ["out": .tensor(out), "slab_rows": .int(out.shape[1]), "slab_columns": .int(out.shape[2])]
  }

  /// Writes each score, rounded to float32.
  public func reference(of product: PairwiseProduct, _ memory: HostMemory) throws(EngineError) {
    let stored = try memory.floats(out)
    try product.forEachCell(memory) { cell in
      stored[(cell.matrix * out.shape[1] + cell.row) * out.shape[2] + cell.column] = Float(cell.score)
    }
  }
}
