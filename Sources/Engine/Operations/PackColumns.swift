/// Lays row-major vectors out as panels, turning them by their positions on the way if asked to.
public struct PackColumns: DeviceOperation {
  /// The vectors, float32.
  public var source: HeadSlices
  /// How many there are, or how many in each segment; a segment starts a panel of its own.
  public var extent: Extent
  /// Where they go: as many heads and channels.
  public var panels: Panels
  /// Turns each vector by its index within its segment.
  package var rotary: RotaryTable?
  /// Gets the greatest of each 8 neighbours of a panel, channel by channel: `[panels, heads, width / 8, channels]`.
  package var peaks: Tensor?

  /// Vectors and where they go.
  public init(_ source: HeadSlices, extent: Extent, into panels: Panels) {
    self.init(source, extent: extent, into: panels, rotary: nil)
  }

  package init(
    _ source: HeadSlices, extent: Extent, into panels: Panels, rotary: RotaryTable? = nil, peaks: Tensor? = nil
  ) {
    self.source = source
    self.extent = extent
    self.panels = panels
    self.rotary = rotary
    self.peaks = peaks
  }

  /// Neighbours of which `peaks` has the greatest.
  package static let run = 8

  /// Checks that the vectors lie within their tensor and the panels have room for them.
  public func validate() throws(EngineError) {
    let name: StaticString = "pack"
    try source.validate(name, rows: extent.rowCount)
    try require(
      source.heads == panels.heads && source.channels == panels.channels, name,
      "the source has \(source.heads) heads of \(source.channels) channels, the panels \(panels.heads) of \(panels.channels)"
    )
    try panels.requirePanels(of: extent, name)
    try rotary?.validate(name, channels: source.channels, positions: extent.longest)
    if let peaks {
      try require(peaks, holds: panels.tensor.count / Self.run, name, "the peaks")
      try require(peaks, isNot: panels.tensor, name)
      try require(peaks, isNot: source.tensor, name)
    }
  }

  /// Copies element by element; empty lanes become 0.
  public func reference(_ memory: HostMemory) throws(EngineError) {
    let vectors = try memory.vectors(source)
    let out = try memory.floats(panels.tensor)
    let table = try rotary.map { (rotary) throws(EngineError) in try memory.floats(rotary.tensor) }
    let greatest = try peaks.map { (peaks) throws(EngineError) in try memory.floats(peaks) }
    let runs = panels.width / Self.run
    for segment in extent.segmentBounds(panelWidth: panels.width) {
      let lanes = ceilingDivide(segment.count, panels.width) * panels.width
      for j in 0..<lanes {
        for head in 0..<panels.heads {
          var vector = [Double](repeating: 0, count: panels.channels)
          if j < segment.count {
            vector = vectors.vector(start: segment.firstRow, index: j, head: head, channels: panels.channels)
            if let table { vector = RotaryTable.rotated(vector, position: j, table) }
          }
          for c in 0..<panels.channels {
            let panel = segment.firstPanel + j / panels.width
            out[((panel * panels.heads + head) * panels.channels + c) * panels.width + j % panels.width] =
              Float(vector[c])
          }
        }
      }
      guard let greatest else { continue }
      for line in segment.firstPanel * panels.heads..<(segment.firstPanel + lanes / panels.width) * panels.heads {
        for (run, c) in (0..<runs).flatMap({ run in (0..<panels.channels).map { (run, $0) } }) {
          let start = (line * panels.channels + c) * panels.width + run * Self.run
          greatest[(line * runs + run) * panels.channels + c] = (start..<start + Self.run).reduce(-.infinity) {
            max($0, out[$1])
          }
        }
      }
    }
  }

  /// One kernel, `Kernels/pairwise/pack.cl`.
  public func launches(_ tiles: TileShape) -> [KernelLaunch] {
    let panelCount = ceilingDivide(extent.longest, panels.width)
    // What is not there still needs an argument: the source stands in.
    return [
      KernelLaunch(
        "pairwise/pack.cl", "pack", tiles, defines: tiles.constants(["PW_ROTATE": rotary == nil ? "0" : "1"]),
        arguments: source.arguments("source", prefix: "") + [
          "heads": .int(source.heads), "channels": .int(source.channels), "panels": .tensor(panels.tensor),
          "panel_count": .int(panelCount), "ragged": .int(extent.table == nil ? 0 : 1),
          "segments": .tensor(extent.table?.tensor ?? source.tensor), "row_count": .int(extent.rowCount),
          "rotates": .int(rotary == nil ? 0 : 1), "rotary": .tensor(rotary?.tensor ?? source.tensor),
          "finds_peaks": .int(peaks == nil ? 0 : 1), "peaks": .tensor(peaks ?? panels.tensor),
        ],
        groups: [extent.matrices * source.heads * panelCount], groupSize: tiles.rowGroup)
    ]
  }
}

/// Lays the columns of a row-major matrix out as panels: the vectors are its columns, their channels its rows.
///
/// ``PackColumns`` makes vectors of the rows. Backward passes need both: the input of a layer for the gradient of its
/// weights (``WeightGradient``), and the weights for the gradient of its input, which is a ``DenseLayer`` with panels of
/// the transpose.
package struct PackTransposed: DeviceOperation {
  /// One head of `columns` channels.
  package var source: HeadSlices
  package var rows: Int
  /// One head of `rows` channels, with room for the columns.
  package var panels: Panels

  package init(_ source: HeadSlices, rows: Int, into panels: Panels) {
    self.source = source
    self.rows = rows
    self.panels = panels
  }

  package var columns: Int { source.channels }

  package func validate() throws(EngineError) {
    let name: StaticString = "transposed pack"
    try source.validate(name, rows: rows)
    try require(source.heads == 1, name, "a matrix has one head, not \(source.heads)")
    try require(
      panels.heads == 1 && panels.channels == rows, name,
      "the panels have \(panels.heads) heads of \(panels.channels) channels, the matrix \(rows) rows")
    try panels.requirePanels(of: .whole(columns), name)
  }

  package func reference(_ memory: HostMemory) throws(EngineError) {
    let vectors = try memory.vectors(source)
    let out = try memory.floats(panels.tensor)
    let width = panels.width
    for t in 0..<rows {
      let row = vectors.vector(start: t, index: 0, head: 0, channels: columns)
      for j in 0..<ceilingDivide(columns, width) * width {
        out[(j / width * rows + t) * width + j % width] = j < columns ? Float(row[j]) : 0
      }
    }
  }

  package func launches(_ tiles: TileShape) -> [KernelLaunch] {
    [
      KernelLaunch(
        "training/pack_transposed.cl", "pack_transposed", tiles,
        arguments: source.singleHeadArguments("source", prefix: "")
          + ["columns": .int(columns), "panels": .tensor(panels.tensor)],
        groups: [rows], groupSize: tiles.rowGroup)
    ]
  }
}
