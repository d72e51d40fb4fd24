public import Logging

/// A device that is ready to compute: what models and heads are loaded onto.
///
/// A light value; copies share the device, its memory pool and its compiled kernels. Safe to use from many tasks.
public struct Engine: Sendable {
  package let backend: any Backend
  /// Where warnings go, such as a fallback from an OpenCL device that was not there.
  public let logger: Logger
  /// How exactly this engine multiplies.
  public private(set) var precision = Precision.float32
  /// What computes products below float32; the device's choice if nil.
  private var units: ProductUnits?

  /// Wraps a backend. Users start from `Engine(_:)` in the module `Weft`, which picks one.
  package init(backend: any Backend, logger: Logger) {
    self.backend = backend
    self.logger = logger
  }

  /// The same device at another precision. Tensors can be used by both.
  public func multiplying(at precision: Precision) -> Engine {
    multiplying(at: precision, by: nil)
  }

  /// The same with units of the caller's choice: for tests of what the device would not choose.
  package func multiplying(at precision: Precision, by units: ProductUnits?) -> Engine {
    var engine = self
    engine.precision = precision
    engine.units = units
    return engine
  }

  /// The device behind this engine.
  public var device: DeviceDescription { backend.device }

  /// Device memory this engine holds.
  public var memory: MemoryUse { backend.memory }
}

// What models and operations are built with.
extension Engine {
  /// Columns that a panel holds on this device.
  public var panelWidth: Int { backend.panelWidth }

  /// The forms of weights on this device. A GPU's convolutions are not transformed: their tiles are in registers. Below
  /// float32 there are units for products.
  package var weightLayout: WeightLayout {
    WeightLayout(
      panelWidth: panelWidth, transformsConvolutions: backend.transformsConvolutions && precision == .float32)
  }

  /// Makes a tensor with undefined elements.
  /// - Throws: `EngineError` if a size is not positive, or the device has no room.
  public func makeTensor(_ elementType: ElementType = .float32, _ shape: Int...) throws(EngineError) -> Tensor {
    try backend.makeTensor(elementType, shape)
  }

  /// Runs a submission to its end.
  /// - Returns: the downloads, in the order in which they were added.
  /// - Throws: `EngineError` if the device fails.
  public func run(_ submission: Submission) async throws(EngineError) -> [HostArray] {
    var submission = submission
    submission.precision = precision
    submission.units = units
    return try await backend.run(submission)
  }

  /// Makes panels with undefined elements for `extent`'s columns.
  /// - Throws: `EngineError` if the device has no room.
  public func makePanels(for extent: Extent, heads: Int = 1, channels: Int) throws(EngineError) -> Panels {
    let tensor = try makeTensor(.float32, extent.panelCount(width: panelWidth), heads, channels, panelWidth)
    return Panels(tensor: tensor, heads: heads, channels: channels, width: panelWidth)
  }

  /// A tensor with the given elements, ready when the call returns.
  /// - Throws: `EngineError` if the shape does not fit the elements, or the device has no room.
  public func upload(_ elements: HostArray, shape: [Int]) async throws(EngineError) -> Tensor {
    let tensor = try backend.makeTensor(elements.elementType, shape)
    var submission = Submission()
    try submission.upload(elements, to: tensor)
    _ = try await run(submission)
    return tensor
  }

  /// Packs a dense layer's parameters: `weights` is `[outputs, inputs]`, row major.
  package func makeDenseWeights(
    _ weights: [Float], bias: [Float], outputs: Int, inputs: Int
  ) async throws(EngineError) -> DenseWeights {
    try require(
      outputs > 0 && inputs > 0 && weights.count == outputs * inputs && bias.count == outputs, "dense weights",
      "\(weights.count) weights and \(bias.count) biases are not a layer of \(inputs) inputs and \(outputs) outputs")
    let rows = try makeTensor(.float32, outputs, inputs)
    let biasTensor = try makeTensor(.float32, outputs)
    let extent = Extent.whole(outputs)
    let panels = try makePanels(for: extent, channels: inputs)
    var submission = Submission()
    try submission.upload(.float32(weights), to: rows)
    try submission.upload(.float32(bias), to: biasTensor)
    try submission.append(PackColumns(HeadSlices(rows, channels: inputs), extent: extent, into: panels))
    _ = try await run(submission)
    return DenseWeights(panels: panels, bias: biasTensor, outputs: outputs)
  }

  /// Makes room for a segment table and adds its upload.
  /// - Throws: `EngineError` if the device has no room.
  public func makeSegmentTable(
    _ segments: Segments, uploadedBy submission: inout Submission
  ) throws(EngineError) -> SegmentTable {
    let tensor = try makeTensor(.int32, segments.count, 4)
    try submission.upload(.int32(segments.table(panelWidth: panelWidth)), to: tensor)
    return SegmentTable(segments, tensor: tensor, panelWidth: panelWidth)
  }
}
