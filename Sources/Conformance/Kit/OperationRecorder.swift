internal import CPUBackend
package import Engine
internal import Synchronization

/// The reference backend, which keeps the operations that it runs: what the kit would launch, seen without a device.
package final class OperationRecorder: Backend {
  private let inner = CPUBackend()
  private let recorded = Mutex<[any DeviceOperation]>([])

  package init() {}

  /// All that were run, in their order.
  package var operations: [any DeviceOperation] { recorded.withLock { $0 } }

  package var device: DeviceDescription { inner.device }
  package var panelWidth: Int { inner.panelWidth }
  package var tiles: TileShape? { inner.tiles }
  package var memory: MemoryUse { inner.memory }

  package func makeTensor(_ elementType: ElementType, _ shape: [Int]) throws(EngineError) -> Tensor {
    try inner.makeTensor(elementType, shape)
  }

  package func run(_ submission: Submission) async throws(EngineError) -> [HostArray] {
    recorded.withLock { $0 += submission.operations }
    return try await inner.run(submission)
  }
}

extension ConformanceKit {
  /// What the kit's kernels are compiled from with a device's tiles. The cases run on the reference to find out, which
  /// takes as long as that.
  ///
  /// - Parameters:
  ///   - tiles: the device's tiles.
  ///   - small: only the tiny cases; they lack most head sizes of attention, and nothing else.
  ///   - filter: only the case of this name, or those whose name contains this text.
  /// - Returns: one launch of each program, in the order in which the cases make them.
  /// - Throws: `Mismatch` if a case fails, whose later launches would be missing.
  package static func launches(
    with tiles: TileShape, small: Bool = false, filter: String? = nil
  ) async throws(Mismatch) -> [KernelLaunch] {
    let recorder = OperationRecorder()
    for outcome in await run(on: recorder, small: small, filter: filter) {
      if let failure = outcome.failure { throw Mismatch("\(outcome.name) fails on the reference: \(failure)") }
    }
    var seen: Set<KernelProgram> = []
    return recorder.operations.flatMap { $0.launches(tiles) }.filter { seen.insert($0.program).inserted }
  }
}
