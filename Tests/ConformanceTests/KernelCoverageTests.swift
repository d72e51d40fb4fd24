import Conformance
import Engine
import Kernels
@testable import OpenCLBackend
import Testing

/// The kit reaches every kernel, and its small run every way in which kernels are compiled.
@Suite struct KernelCoverageTests {
  /// What both families of kernels are compiled from when the kit runs.
  private func specs(small: Bool) async -> Set<KernelSpec> {
    let recorder = OperationRecorder()
    let outcomes = await ConformanceKit.run(on: recorder.backend, small: small)
    #expect(outcomes.allSatisfy { $0.failure == nil })
    var specs: Set<KernelSpec> = []
    for variant in TileShape.Variant.allCases {
      let shape = TileShape(variant, maxWorkGroupSize: 256)
      specs.formUnion(recorder.operations.flatMap { $0.launches(shape).map(\.spec) })
    }
    return specs
  }

  @Test func smallRunReachesEveryKernel() async {
    let sources = Set(await specs(small: true).map(\.source))
    #expect(sources == Set(KernelSources.kernelPaths))
  }

  @Test func smallRunCompilesWhatTheFullRunDoes() async {
    /// The size of a head is a compile-time constant of attention, and a matter of the full run.
    func apartFromHeadSize(_ specs: Set<KernelSpec>) -> Set<KernelSpec> {
      Set(
        specs.map { spec in
          KernelSpec(
            source: spec.source, entry: spec.entry,
            defines: spec.defines.filter { $0.key != "AT_CHANNELS" })
        })
    }
    let missing = apartFromHeadSize(await specs(small: false))
      .subtracting(apartFromHeadSize(await specs(small: true)))
    #expect(missing.isEmpty)
  }

  @Test func everyEpilogueIsReached() async {
    let pairwise = await specs(small: true).filter { $0.source == "pairwise/pairwise.cl" }
    for epilogue in 0...2 {
      for ragged in [nil, 1] {
        #expect(
          pairwise.contains {
            $0.defines["PW_EPILOGUE"] == epilogue && $0.defines["PW_RAGGED"] == ragged
          }, "epilogue \(epilogue), ragged \(ragged ?? 0)")
      }
    }
    #expect(pairwise.contains { $0.defines["PW_EPILOGUE"] == 4 && $0.defines["PW_CHUNKED"] == 1 })
    #expect(pairwise.contains { $0.defines["PW_EPILOGUE"] == 7 && $0.defines["PW_CHUNKED"] == 1 })
    #expect(pairwise.contains { $0.defines["PW_EPILOGUE"] == 8 && $0.defines["PW_ROUNDS"] == 1 })
    for activation in 0...4 {
      for residual in 0...1 {
        #expect(
          pairwise.contains {
            $0.defines["PW_EPILOGUE"] == 3 && $0.defines["PW_ACTIVATION"] == activation
              && $0.defines["PW_RESIDUAL"] == residual
          }, "activation \(activation), residual \(residual)")
      }
    }
  }
}
