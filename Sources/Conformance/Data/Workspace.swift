internal import Engine
internal import Logging
internal import TokenPairs

/// A submission in the making, and the tensors it works on.
struct Workspace {
  let backend: any Backend
  private(set) var submission = Submission()

  init(_ backend: any Backend) { self.backend = backend }

  mutating func upload(_ values: [Float], _ shape: Int...) throws -> Tensor {
    try upload(.float32(values), shape)
  }

  mutating func upload(integers values: [Int32], _ shape: Int...) throws -> Tensor {
    try upload(.int32(values), shape)
  }

  private mutating func upload(_ values: HostArray, _ shape: [Int]) throws -> Tensor {
    let tensor = try backend.makeTensor(values.elementType, shape)
    try submission.upload(values, to: tensor)
    return tensor
  }

  /// Room for a result and one poisoned row (or slab) more, all poisoned.
  mutating func output(_ shape: Int...) throws -> Guarded {
    let guarded = [shape[0] + 1] + shape[1...]
    let whole = try upload(.float32(Poison.floats(guarded.reduce(1, *))), guarded)
    return Guarded(
      whole: whole, part: Tensor(storage: whole.storage, elementType: .float32, shape: shape))
  }

  /// Uploads once more, over what an earlier upload left at the tensor's start.
  mutating func write(_ values: [Float], over tensor: Tensor) throws {
    try submission.upload(.float32(values), to: tensor)
  }

  /// The vectors, in a tensor.
  mutating func upload(_ set: VectorSet) throws -> HeadSlices {
    set.slices(in: try upload(set.elements, set.count + 1, set.layout.width))
  }

  /// A table of segments, followed by a poisoned entry.
  mutating func segments(_ lengths: [Int]) throws -> SegmentTable {
    let segments = Segments(lengths: lengths)
    let entries = segments.table(panelWidth: backend.panelWidth) + Poison.integers(4)
    let tensor = try upload(integers: entries, lengths.count + 1, 4)
    return SegmentTable(segments, tensor: tensor, panelWidth: backend.panelWidth)
  }

  /// Panels for `extent`, poisoned, and one more.
  mutating func emptyPanels(for extent: Extent, heads: Int = 1, channels: Int) throws -> Panels {
    let width = backend.panelWidth
    let count = extent.panelCount(width: width) + 1
    let tensor = try upload(
      Poison.floats(count * heads * channels * width), count, heads, channels, width)
    return Panels(tensor: tensor, heads: heads, channels: channels, width: width)
  }

  /// Packs vectors into panels of their own.
  mutating func pack(
    _ source: HeadSlices, extent: Extent, rotary: RotaryTable? = nil
  ) throws -> Panels {
    let panels = try emptyPanels(for: extent, heads: source.heads, channels: source.channels)
    try append(PackColumns(source, extent: extent, into: panels, rotary: rotary))
    return panels
  }

  /// Packs the columns of a matrix into panels of their own.
  mutating func packTransposed(_ matrix: HeadSlices, rows: Int) throws -> Panels {
    let panels = try emptyPanels(for: .whole(matrix.channels), channels: rows)
    try append(PackTransposed(matrix, rows: rows, into: panels))
    return panels
  }

  /// A dense layer's parameters: weights one vector an output, the bias followed by poison.
  mutating func denseWeights(_ weights: VectorSet, bias: [Float]) throws -> DenseWeights {
    let panels = try pack(try upload(weights), extent: .whole(weights.count))
    let biasTensor = try upload(bias + Poison.floats(1), bias.count + 1)
    return DenseWeights(panels: panels, bias: biasTensor, outputs: weights.count)
  }

  /// A table of the standard rotary embedding, or of its inverse.
  mutating func rotaryTable(positions: Int, channels: Int, inverse: Bool = false) throws -> RotaryTable {
    RotaryTable(
      tensor: try upload(
        RotaryTable.elements(positions: positions, channels: channels, inverse: inverse), positions, 2, channels))
  }

  mutating func append(_ operation: any DeviceOperation) throws { try submission.append(operation) }

  /// Adds a loss over token pairs; the result is its totals.
  mutating func append(_ pass: PairLossPass) throws -> Tensor {
    try pass.append(to: &submission, on: Engine(backend: backend, logger: Logger(label: "conformance")))
  }

  mutating func download(_ tensor: Tensor) throws { try submission.download(tensor) }

  /// Runs what was gathered; the downloads in their order.
  func run() async throws -> [HostArray] { try await backend.run(submission) }

  /// Runs what was gathered, then reads one result with its guard.
  mutating func run(reading result: Guarded) async throws -> [Float] {
    try download(result.whole)
    let downloads = try await run()
    guard downloads.count == submission.downloads.count, let values = downloads.last,
      values.elementType == .float32, values.count == result.whole.count
    else { throw Mismatch("the downloads are not what was asked for") }
    return values.floats
  }
}

/// A result and the guard behind it, in one block of memory.
struct Guarded: Sendable {
  let whole: Tensor
  /// What the operation is shown.
  let part: Tensor
}
