import CPUBackend
import Engine

/// The reference backend with something before and after it.
final class WrappedBackend: Backend {
  private let inner = CPUBackend()
  private let before: @Sendable (Submission) throws(EngineError) -> Submission
  private let after: @Sendable ([HostArray]) -> [HostArray]

  init(
    before: @escaping @Sendable (Submission) throws(EngineError) -> Submission = { $0 },
    after: @escaping @Sendable ([HostArray]) -> [HostArray] = { $0 }
  ) {
    self.before = before
    self.after = after
  }

  var device: DeviceDescription { inner.device }
  var panelWidth: Int { inner.panelWidth }
  var tiles: TileShape? { inner.tiles }
  var memory: MemoryUse { inner.memory }

  func makeTensor(_ elementType: ElementType, _ shape: [Int]) throws(EngineError) -> Tensor {
    try inner.makeTensor(elementType, shape)
  }

  func run(_ submission: Submission) async throws(EngineError) -> [HostArray] {
    after(try await inner.run(try before(submission)))
  }
}

/// A backend on which nothing works.
struct UnusableBackend: Backend {
  let device = DeviceDescription(
    name: "unusable", platform: "", driver: "", kind: .accelerator, variant: "none",
    computeUnits: 0, memoryBytes: 0)
  let panelWidth = 1
  let tiles: TileShape? = nil
  let memory = MemoryUse()

  func makeTensor(_ elementType: ElementType, _ shape: [Int]) throws(EngineError) -> Tensor {
    throw EngineError(.deviceFailure, "unusable")
  }

  func run(_ submission: Submission) async throws(EngineError) -> [HostArray] {
    throw EngineError(.deviceFailure, "unusable")
  }
}

extension HostArray {
  /// The array with its floats changed; integers stay.
  func changingFloats(_ change: (inout [Float]) -> Void) -> HostArray {
    guard case .float32(var values) = self else { return self }
    change(&values)
    return .float32(values)
  }

  /// The array with its integers changed; floats stay.
  func changingIntegers(_ change: (inout [Int32]) -> Void) -> HostArray {
    guard case .int32(var values) = self else { return self }
    change(&values)
    return .int32(values)
  }
}
