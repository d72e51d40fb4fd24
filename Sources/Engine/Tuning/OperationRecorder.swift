internal import Synchronization

/// A backend which keeps what another one runs: the operations of a model, or of tests.
package final class OperationRecorder: Backend {
  private let inner: any Backend
  private let keepsUploads: Bool
  package let transformsConvolutions: Bool
  private let recorded = Mutex<[Submission]>([])

  /// - Parameters:
  ///   - inner: what runs them.
  ///   - keepsUploads: whether what goes to the device before an operation is kept too.
  ///   - transformsConvolutions: whether operations are those of a device that transforms them; as `inner` does if nil.
  package init(_ inner: any Backend, keepsUploads: Bool = false, transformsConvolutions: Bool? = nil) {
    self.inner = inner
    self.transformsConvolutions = transformsConvolutions ?? inner.transformsConvolutions
    self.keepsUploads = keepsUploads
  }

  /// All that was run, in its order; without downloads if uploads are not kept either.
  package var submissions: [Submission] { recorded.withLock { $0 } }
  /// All operations that were run, in their order.
  package var operations: [any DeviceOperation] { submissions.flatMap(\.operations) }

  package var device: DeviceDescription { inner.device }
  package var panelWidth: Int { inner.panelWidth }
  package var tiles: TileShape? { inner.tiles }
  package var memory: MemoryUse { inner.memory }

  package func makeTensor(_ elementType: ElementType, _ shape: [Int]) throws(EngineError) -> Tensor {
    try inner.makeTensor(elementType, shape)
  }

  package func run(_ submission: Submission) async throws(EngineError) -> [HostArray] {
    recorded.withLock { $0.append(keepsUploads ? submission : submission.withoutTransfers) }
    return try await inner.run(submission)
  }
}
