public import Engine

/// A submission in the making, and the tensors it works on. A case fills one for each device that it is run on.
///
/// Outputs are filled with poison, and so is a guard behind each: what an operation writes beside its result is noticed,
/// and what it reads of them spreads.
public struct Workspace {
  /// The device that the work is for.
  public let engine: Engine
  /// Columns of the panels in this workspace.
  public let panelWidth: Int
  /// What was added.
  public internal(set) var submission = Submission()
  /// Outputs with their guards, by their memory.
  private var guarded: [ObjectIdentifier: Tensor] = [:]

  /// An empty workspace on a device, with panels as wide as its own if nothing else is given.
  init(_ engine: Engine, panelWidth: Int? = nil) {
    self.engine = engine
    self.panelWidth = panelWidth ?? engine.panelWidth
  }

  /// A tensor that holds these numbers.
  /// - Throws: `EngineError` if they do not fit the shape, or the device has no room.
  public mutating func upload(_ values: [Float], _ shape: Int...) throws(EngineError) -> Tensor {
    try upload(.float32(values), shape)
  }

  /// A tensor that holds these integers.
  /// - Throws: `EngineError` if they do not fit the shape, or the device has no room.
  public mutating func upload(integers values: [Int32], _ shape: Int...) throws(EngineError) -> Tensor {
    try upload(.int32(values), shape)
  }

  private mutating func upload(_ values: HostArray, _ shape: [Int]) throws(EngineError) -> Tensor {
    let tensor = try engine.backend.makeTensor(values.elementType, shape)
    try submission.upload(values, to: tensor)
    return tensor
  }

  /// Room for a result and one row (or slab) more, all poisoned. What a case returns is compared with that guard.
  /// - Throws: `EngineError` if the device has no room.
  public mutating func output(_ shape: Int...) throws(EngineError) -> Tensor {
    try output(shape) { .float32(Poison.floats($0)) }
  }

  /// The same for integers.
  /// - Throws: `EngineError` if the device has no room.
  public mutating func integerOutput(_ shape: Int...) throws(EngineError) -> Tensor {
    try output(shape) { .int32(Poison.integers($0)) }
  }

  /// The same for a result that is computed in place, over these numbers.
  /// - Throws: `EngineError` if the device has no room.
  public mutating func output(over values: [Float], _ shape: Int...) throws(EngineError) -> Tensor {
    let tensor = try output(shape) { .float32(Poison.floats($0)) }
    try submission.upload(.float32(values), to: tensor)
    return tensor
  }

  private mutating func output(_ shape: [Int], poison: (Int) -> HostArray) throws(EngineError) -> Tensor {
    let shapeWithGuard = [shape[0] + 1] + shape[1...]
    let whole = try upload(poison(shapeWithGuard.reduce(1, *)), shapeWithGuard)
    guarded[ObjectIdentifier(whole.storage)] = whole
    return Tensor(storage: whole.storage, elementType: whole.elementType, shape: shape)
  }

  /// Adds an operation.
  /// - Throws: what its validation throws.
  public mutating func append(_ operation: any DeviceOperation) throws(EngineError) {
    try submission.append(operation)
  }

  /// Runs what was added.
  ///
  /// - Parameter outputs: what is read afterwards; with its guard, where it has one.
  /// - Returns: the elements of each output.
  /// - Throws: `EngineError` if the device fails.
  public mutating func run(reading outputs: [Tensor]) async throws -> [HostArray] {
    for output in outputs { try submission.download(guarded[ObjectIdentifier(output.storage)] ?? output) }
    let downloads = try await engine.run(submission)
    guard downloads.count == submission.downloads.count else {
      throw Mismatch("the downloads are not what was asked for")
    }
    return downloads.suffix(outputs.count)
  }

  /// Runs what was added, then reads one float tensor with its guard.
  mutating func run(reading output: Tensor) async throws -> [Float] {
    let results = try await run(reading: [output])
    let count = (guarded[ObjectIdentifier(output.storage)] ?? output).count
    guard results[0].elementType == .float32, results[0].count == count else {
      throw Mismatch("the downloads are not what was asked for")
    }
    return results[0].floats
  }
}

// What operations on vectors, segments and panels are staged with.
extension Workspace {
  /// A table of segments, followed by a poisoned entry.
  /// - Throws: `EngineError` if the device has no room.
  public mutating func segments(_ lengths: [Int]) throws(EngineError) -> SegmentTable {
    let segments = Segments(lengths: lengths)
    let entries = segments.table(panelWidth: panelWidth) + Poison.integers(4)
    let tensor = try upload(integers: entries, lengths.count + 1, 4)
    return SegmentTable(segments, tensor: tensor, panelWidth: panelWidth)
  }

  /// Panels for `extent`, poisoned, and one more.
  /// - Throws: `EngineError` if the device has no room.
  public mutating func emptyPanels(
    for extent: Extent, heads: Int = 1, channels: Int
  ) throws(EngineError) -> Panels {
    let count = extent.panelCount(width: panelWidth) + 1
    let tensor = try upload(
      Poison.floats(count * heads * channels * panelWidth), count, heads, channels, panelWidth)
    return Panels(tensor: tensor, heads: heads, channels: channels, width: panelWidth)
  }

  /// Packs vectors into panels of their own.
  /// - Throws: `EngineError` if the vectors do not fit the extent, or the device has no room.
  public mutating func pack(_ source: HeadSlices, extent: Extent) throws(EngineError) -> Panels {
    try pack(source, extent: extent, rotary: nil)
  }

  mutating func pack(_ source: HeadSlices, extent: Extent, rotary: RotaryTable?) throws(EngineError) -> Panels {
    let panels = try emptyPanels(for: extent, heads: source.heads, channels: source.channels)
    try append(PackColumns(source, extent: extent, into: panels, rotary: rotary))
    return panels
  }

  /// Packs vectors into panels of their own, and finds the greatest of neighbours.
  mutating func packWithPeaks(
    _ source: HeadSlices, extent: Extent
  ) throws(EngineError) -> (panels: Panels, peaks: Tensor) {
    let panels = try emptyPanels(for: extent, heads: source.heads, channels: source.channels)
    let count = panels.tensor.count / PackColumns.run
    let peaks = try upload(Poison.floats(count), count)
    try append(PackColumns(source, extent: extent, into: panels, peaks: peaks))
    return (panels, peaks)
  }

  /// Packs the columns of a matrix into panels of their own.
  mutating func packTransposed(_ matrix: HeadSlices, rows: Int) throws(EngineError) -> Panels {
    let panels = try emptyPanels(for: .whole(matrix.channels), channels: rows)
    try append(PackTransposed(matrix, rows: rows, into: panels))
    return panels
  }

  /// The vectors, in a tensor.
  mutating func upload(_ set: VectorSet) throws(EngineError) -> HeadSlices {
    set.slices(in: try upload(set.elements, set.count + 1, set.layout.width))
  }

  /// A dense layer's parameters: weights one vector an output, the bias followed by poison.
  mutating func denseWeights(_ weights: VectorSet, bias: [Float]) throws(EngineError) -> DenseWeights {
    let panels = try pack(try upload(weights), extent: .whole(weights.count))
    let biasTensor = try upload(bias + Poison.floats(1), bias.count + 1)
    return DenseWeights(panels: panels, bias: biasTensor, outputs: weights.count)
  }

  /// A table of the standard rotary embedding, or of its inverse.
  mutating func rotaryTable(
    positions: Int, channels: Int, inverse: Bool = false
  ) throws(EngineError) -> RotaryTable {
    RotaryTable(
      tensor: try upload(
        RotaryTable.elements(positions: positions, channels: channels, inverse: inverse), positions, 2, channels))
  }
}
