import CPUBackend
import Engine
import Testing

@testable import OpenCLBackend

/// Units for products below float32 are used after a test on their device.
@Suite struct ProductUnitsTests {
  /// The reference, whose results are changed where a submission asks for matrix units.
  private struct LyingBackend: Backend {
    let inner = CPUBackend()
    let change: @Sendable (inout [Float]) -> Void

    var device: DeviceDescription { inner.device }
    var panelWidth: Int { inner.panelWidth }
    var tiles: TileShape? { nil }
    var memory: MemoryUse { inner.memory }

    func makeTensor(_ elementType: ElementType, _ shape: [Int]) throws(EngineError) -> Tensor {
      try inner.makeTensor(elementType, shape)
    }

    func run(_ submission: Submission) async throws(EngineError) -> [HostArray] {
      let results = try await inner.run(submission)
      return submission.units == .nvidia ? results.map { $0.changingFloats(change) } : results
    }
  }

  private func problem(_ change: @escaping @Sendable (inout [Float]) -> Void) async -> String? {
    await ProductUnitsTest(backend: LyingBackend(change: change), precision: .bfloat16)
      .problem(of: .nvidia, comparedWith: .emulated)
  }

  @Test func whatIsRightPasses() async {
    #expect(await problem { _ in } == nil)
  }

  @Test func oneWrongCellIsFound() async {
    #expect(await problem { $0[$0.count - 1] += 0.125 } != nil)
    #expect(await problem { $0[0] = .nan } != nil)
    // Two cells in each other's place.
    #expect(await problem { $0.swapAt(3, 4) } != nil)
  }

  @Test func unitsThatDoNotRunAreNotUsed() async {
    let problem = await ProductUnitsTest(backend: UnusableBackend(), precision: .bfloat16)
      .problem(of: .nvidia, comparedWith: .emulated)
    #expect(problem == "unusable")
  }

  /// What this machine has agrees with what it is compared with.
  @Test(.needsDevice, arguments: TestBackend.devices)
  func thisMachinesUnitsAgree(_ device: TestBackend) async throws {
    guard let backend = try device.open() as? OpenCLBackend else { return }
    if backend.device.variant == "gpu" {
      for precision in [Precision.bfloat16, .bfloat16x3] {
        #expect(
          await ProductUnitsTest(backend: backend, precision: precision)
            .problem(of: .emulated, comparedWith: .emulated) == nil)
      }
      #expect(
        await ProductUnitsTest(backend: backend, precision: .bfloat16)
          .problem(of: .emulated, comparedWith: .float32) == nil)
    } else if backend.quirks.hasAVX512BF16 {
      #expect(
        await ProductUnitsTest(backend: backend, precision: .bfloat16).problem(of: .avx512, comparedWith: .float32)
          == nil)
      #expect(await backend.settleUnits(for: .bfloat16) == .avx512)
    }
    #expect(await backend.settleUnits(for: .bfloat16x3) == .float32)
  }
}
