package import Engine
package import Logging
internal import OpenCL
internal import Synchronization

/// Executes operations on one OpenCL device.
package final class OpenCLBackend: Backend {
  package let device: DeviceDescription
  private let shape: TileShape
  private let pool: BufferPool
  private let lanes: [Lane]
  private let nextLane = Atomic(0)

  /// Opens a device.
  ///
  /// - Parameters:
  ///   - candidate: the device.
  ///   - variant: which tiles to use; by the device's kind if nil.
  ///   - memoryBudget: the most that tensors may hold, in bytes; three quarters of the device's memory if nil.
  ///   - laneCount: queues that submissions are spread over.
  ///   - logger: is told when kernels have to be compiled.
  /// - Throws: `EngineError` of kind `deviceFailure` if the driver refuses.
  package init(
    _ candidate: DeviceCandidate, variant: TileShape.Variant? = nil, memoryBudget: Int? = nil, laneCount: Int = 2,
    logger: Logger = Logger(label: "weft")
  ) throws(EngineError) {
    let device = candidate.device
    do {
      let session = try DeviceSession.open(device, logger: logger)
      let shape = TileShape(variant ?? candidate.preferredVariant, maxWorkGroupSize: device.maxWorkGroupSize)
      var lanes: [Lane] = []
      for _ in 0..<max(1, laneCount) {
        lanes.append(Lane(queue: try session.makeQueue(), programs: session.programs, tiles: shape))
      }
      self.lanes = lanes
      self.shape = shape
      pool = BufferPool(context: session.context, budget: memoryBudget ?? device.globalMemory / 4 * 3)
    } catch { throw EngineError(error) }
    self.device = candidate.description(variant: shape.variant)
  }

  package var panelWidth: Int { shape.panelWidth }
  package var tiles: TileShape? { shape }
  package var memory: MemoryUse { pool.memory }

  package func makeTensor(_ elementType: ElementType, _ shape: [Int]) throws(EngineError) -> Tensor {
    var count = 1
    for size in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard size > 0, !overflow, product <= Int.max / 8 else {
        throw EngineError(.invalidOperation, "no tensor has the shape \(shape)")
      }
      count = product
    }
    let storage = try DeviceStorage(count * elementType.byteCount, from: pool)
    return Tensor(storage: storage, elementType: elementType, shape: shape)
  }

  package func run(_ submission: Submission) async throws(EngineError) -> [HostArray] {
    let turn = nextLane.wrappingAdd(1, ordering: .relaxed).oldValue
    return try await lanes[turn % lanes.count].run(submission)
  }
}
