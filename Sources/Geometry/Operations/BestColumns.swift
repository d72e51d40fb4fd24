public import Engine

/// The best columns of some rows, as `Engine.topK` finds them.
public struct BestColumns: Sendable, Hashable {
  /// Columns of a row.
  public let k: Int
  /// `[rows, k]`: the columns of each row, best first.
  public let indices: [Int32]
  /// `[rows, k]`: their values.
  public let values: [Float]

  /// How many rows.
  public var rowCount: Int { indices.count / k }
}

extension Engine {
  /// The k columns with the greatest `scale · <rows[i], columns[j]> + bias[j]` for each row, of equal ones the first; the
  /// matrix is never stored.
  ///
  /// - Parameters:
  ///   - rows: the vectors asked about.
  ///   - columns: the vectors to choose from.
  ///   - k: how many each row gets: at least 1, and no more than there are columns to choose from.
  ///   - scale: what products are multiplied by.
  ///   - bias: what is added for each column; nothing if nil.
  ///   - excluded: for each row a column that it may not take, such as itself; negative for none. Nothing if nil.
  /// - Returns: each row's columns and their values, best first.
  /// - Throws: `EngineError` if the parts contradict each other, a number is not finite, values could overflow float32, or
  ///   the device has no room.
  public func topK(
    rows: Vectors, columns: Vectors, k: Int, scale: Float = 1, bias: [Float]? = nil, excluding excluded: [Int]? = nil
  ) async throws(EngineError) -> BestColumns {
    let name: StaticString = "top k"
    try require(
      rows.dimension == columns.dimension, name,
      "rows have dimension \(rows.dimension), columns \(columns.dimension)")
    let bias = bias ?? [Float](repeating: 0, count: columns.count)
    let reach = [rows.elements.largestMagnitude, columns.elements.largestMagnitude, bias.largestMagnitude, abs(scale)]
    try require(reach.allSatisfy(\.isFinite), name, "a row, a column, a bias or the scale is not finite")
    let bound = Double(reach[0]) * Double(reach[1]) * Double(rows.dimension)
    try require(
      max(bound, bound * Double(reach[3]) + Double(reach[2])) < Double(Float.greatestFiniteMagnitude), name,
      "values could overflow float32; scale the vectors down")
    let ranked = try await makeRankedColumns(columns, terms: bias)
    return try await topK(rows, among: ranked, k: k, scale: scale, excluding: excluded)
  }

  /// Brings columns to the device, with a number for each that is added to its products.
  package func makeRankedColumns(_ columns: Vectors, terms: [Float]) async throws(EngineError) -> RankedColumns {
    let rows = try makeTensor(.float32, columns.count, columns.dimension)
    var submission = Submission()
    let ranked = try rankedColumns(columns, through: rows, terms: terms, packedBy: &submission)
    _ = try await run(submission)
    return ranked
  }

  /// Columns that are ready when `submission` has run, uploaded through `rows`, which keeps them.
  private func rankedColumns(
    _ columns: Vectors, through rows: Tensor, terms: [Float], packedBy submission: inout Submission
  ) throws(EngineError) -> RankedColumns {
    let (count, channels) = (columns.count, columns.dimension)
    try require(
      count <= indexLimit && terms.count == count, "ranked columns", "\(terms.count) terms for \(count) columns")
    let termRows = try makeTensor(.float32, count, 1)
    let extent = Extent.whole(count)
    let ranked = RankedColumns(
      count: count, panels: try makePanels(for: extent, channels: channels),
      terms: try makePanels(for: extent, channels: 1))
    try submission.upload(.float32(columns.elements), to: rows)
    try submission.upload(.float32(terms), to: termRows)
    try submission.append(PackColumns(HeadSlices(rows, channels: channels), extent: extent, into: ranked.panels))
    try submission.append(PackColumns(HeadSlices(termRows, channels: 1), extent: extent, into: ranked.terms))
    return ranked
  }

  /// The best columns of rows in host memory. Nothing may be NaN or overflow; a row's result does not depend on others.
  /// Rows are taken in passes, so that device memory is bounded besides the columns.
  package func topK(
    _ rows: Vectors, among columns: RankedColumns, k: Int, scale: Float = 1, excluding excluded: [Int]? = nil
  ) async throws(EngineError) -> BestColumns {
    let name: StaticString = "top k"
    try require(k >= 1, name, "k is \(k): it must be at least 1")
    let choice = columns.count - (excluded == nil ? 0 : 1)
    try require(k <= choice, name, "k is \(k), and a row has \(choice) columns to choose from")
    try require(
      excluded.map { $0.count == rows.count } ?? true, name,
      "\(excluded?.count ?? 0) excluded columns for \(rows.count) rows")

    var indices: [Int32] = []
    var values: [Float] = []
    indices.reserveCapacity(rows.count * k)
    values.reserveCapacity(rows.count * k)
    var first = 0
    while first < rows.count {
      let segments = topKChunks(rows: rows.count - first, among: columns, k: k)
      let rowElements = rows.dimension + 2 * TopK.room(for: k) * segments.count + 2 * k
      let part = first..<min(rows.count, first + max(1, Self.passElements / rowElements))
      let pass = try await topKPass(
        Array(rows.elements[part.lowerBound * rows.dimension..<part.upperBound * rows.dimension]), among: columns,
        cutInto: segments, k: k, scale: scale,
        excluding: excluded.map { $0[part].map { Int32(clamping: $0) } } ?? [Int32](repeating: -1, count: part.count))
      values += pass[0].floats
      indices += pass[1].integers
      first = part.upperBound
    }
    return BestColumns(k: k, indices: indices, values: values)
  }

  /// The best columns of each, where rows and columns are the same vectors and each product serves both of its ends.
  ///
  /// - Returns: what `topK(_:among:k:)` returns, to the bit; nil where that suits the device, or how many and how long the
  ///   lists are, better.
  package func topK(
    ofThemselves vectors: Vectors, terms: [Float], k: Int, progress: ((Double) -> Void)? = nil
  ) async throws -> BestColumns? {
    // Each unit has a few pairs of blocks in a round; the lists of all rows stay on the device.
    guard backend.tiles.map(SymmetricSelection.sharesProducts) ?? false,
      vectors.count >= Self.vectorsOfUnit * device.computeUnits,
      vectors.count * TopK.room(for: k) <= Self.symmetricLimit
    else { return nil }
    let work = Double(vectors.count) * Double(vectors.count) * Double(vectors.dimension)
    return try await symmetricTopK(
      vectors, terms: terms, k: k, parts: max(1, Int(work / Self.partWork)), progress: progress)
  }

  /// Vectors for each compute unit from which on blocks of them keep all units busy.
  private static let vectorsOfUnit = 1024
  /// Places of all lists together: 512 MiB.
  private static let symmetricLimit = 1 << 26
  /// Channels of all products in a part: half a second on a small device.
  private static let partWork = 0x1p36

  /// The same, in so many parts.
  package func symmetricTopK(
    _ vectors: Vectors, terms: [Float], k: Int, parts: Int, progress: ((Double) -> Void)? = nil
  ) async throws -> BestColumns {
    let count = vectors.count
    let rows = try makeTensor(.float32, count, vectors.dimension)
    let excluded = try makeTensor(.int32, count)
    var submission = Submission()
    try submission.upload(.int32([Int32](repeating: -1, count: count)), to: excluded)
    let best = SymmetricTopK(
      HeadSlices(rows, channels: vectors.dimension),
      columns: try rankedColumns(vectors, through: rows, terms: terms, packedBy: &submission), excluded: excluded, k: k,
      lists: try makeTensor(.int32, count, TopK.room(for: k), 2), counts: try makeTensor(.int32, count),
      worsts: try makeTensor(.float32, count), values: try makeTensor(.float32, count, k),
      indices: try makeTensor(.int32, count, k))
    var results: [HostArray] = []
    for index in 0..<parts {
      try Task.checkCancellation()
      let part = SymmetricPart(index, of: parts)
      for operation in best.operations(part) { try submission.append(operation) }
      if part.isLast {
        try submission.download(best.values)
        try submission.download(best.indices)
      }
      results = try await run(submission)
      submission = Submission()
      progress?(Double(index + 1) / Double(parts))
    }
    return BestColumns(k: k, indices: results[1].integers, values: results[0].floats)
  }

  /// Elements of the rows, the scratch and the results of one pass: 64 MiB.
  private static let passElements = 1 << 24

  private func topKPass(
    _ elements: [Float], among columns: RankedColumns, cutInto segments: Segments, k: Int, scale: Float,
    excluding excluded: [Int32]
  ) async throws(EngineError) -> [HostArray] {
    let count = excluded.count
    let rows = try makeTensor(.float32, count, columns.channels)
    var submission = Submission()
    try submission.upload(.float32(elements), to: rows)
    let excludedColumns = try makeTensor(.int32, count)
    try submission.upload(.int32(excluded), to: excludedColumns)
    let values = try makeTensor(.float32, count, k)
    let indices = try makeTensor(.int32, count, k)
    let best = TopK(
      HeadSlices(rows, channels: columns.channels), rowCount: count, among: columns,
      chunks: try makeSegmentTable(segments, uploadedBy: &submission), excluded: excludedColumns, scale: scale, k: k,
      lists: try makeTensor(.int32, count, segments.count, TopK.room(for: k), 2), values: values, indices: indices)
    for operation in best.operations { try submission.append(operation) }
    try submission.download(values)
    try submission.download(indices)
    return try await run(submission)
  }

  /// How columns are cut for a number of rows: many rows keep the device busy by themselves, a few need columns to be
  /// shared out. Results do not depend on it.
  private func topKChunks(rows: Int, among columns: RankedColumns, k: Int) -> Segments {
    let (rowsOfGroup, leastPanels) = (256, 4)
    let panels = (columns.count + panelWidth - 1) / panelWidth
    let wanted = 4 * device.computeUnits * rowsOfGroup / rows
    // Long lists of short chunks hold everything, and each is merged place by place.
    let useful = k > TopK.mergeLimit ? 1 : max(device.computeUnits, columns.count / k)
    let chunks = max(1, min(wanted, panels / leastPanels, useful, TopK.chunkLimit))
    return Segments(
      lengths: (0..<chunks).map { chunk in
        min(columns.count, panels * (chunk + 1) / chunks * panelWidth) - panels * chunk / chunks * panelWidth
      })
  }
}

extension [Float] {
  /// The largest magnitude; not a finite number if any element is not.
  fileprivate var largestMagnitude: Float {
    // Integers order as magnitudes do, with NaN above all, so that the loop becomes a vectorised maximum.
    Float(bitPattern: reduce(UInt32(0)) { Swift.max($0, $1.bitPattern & 0x7FFF_FFFF) })
  }
}
