import Conformance
import Engine
import Kernels
@testable import OpenCLBackend
import Testing

/// The kit reaches every kernel, and its small run every way in which kernels are compiled.
@Suite struct KernelCoverageTests {
  /// What both families of kernels are compiled from when the kit runs.
  private func programs(small: Bool) async throws -> Set<KernelProgram> {
    let launches = try await ConformanceKit.launches(
      with: TileShape(.cpu, maxWorkGroupSize: 256), TileShape(.gpu, maxWorkGroupSize: 256), small: small)
    return Set(launches.map(\.program))
  }

  @Test func smallRunReachesEveryKernel() async throws {
    let sources = Set(try await programs(small: true).map(\.source.name))
    #expect(sources == Set(KernelSources.kernelPaths))
  }

  @Test func smallRunCompilesWhatTheFullRunDoes() async throws {
    /// The size of a head is a compile-time constant of attention; only the full run goes through all of them.
    func apartFromHeadSize(_ programs: Set<KernelProgram>) -> Set<KernelProgram> {
      Set(
        programs.map { program in
          KernelProgram(
            source: program.source, entry: program.entry, defines: program.defines.filter { $0.key != "AT_CHANNELS" })
        })
    }
    let missing = apartFromHeadSize(try await programs(small: false))
      .subtracting(apartFromHeadSize(try await programs(small: true)))
    #expect(missing.isEmpty)
  }

  @Test func everyEpilogueIsReached() async throws {
    var reached: [String: [KernelProgram]] = [:]
    for program in try await programs(small: true) {
      if let epilogue = program.source.headers["epilogue"] { reached[epilogue.name, default: []].append(program) }
    }
    #expect(Set(reached.keys) == Set(KernelSources.epiloguePaths))
    func isReached(_ name: String, _ defines: [String: String?]) -> Bool {
      reached["pairwise/epilogue_\(name).clh"]?.contains { program in
        defines.allSatisfy { program.defines[$0.key] == $0.value }
      } ?? false
    }
    for epilogue in ["store", "threshold", "typed_threshold"] {
      for ragged in [nil, "1"] {
        #expect(isReached(epilogue, ["PW_RAGGED": ragged]), "\(epilogue), ragged \(ragged ?? "0")")
      }
    }
    #expect(isReached("average", ["PW_CHUNKED": "1"]))
    #expect(isReached("top_k", ["PW_CHUNKED": "1"]))
    #expect(isReached("symmetric_top_k", ["PW_ROUNDS": "1"]))
    for activation in ["NONE", "GELU", "GELU_TANH", "RELU", "SILU"] {
      for residual in ["0", "1"] {
        #expect(
          isReached("dense", ["PW_ACTIVATION": "WM_\(activation)", "PW_RESIDUAL": residual]),
          "activation \(activation), residual \(residual)")
      }
    }
  }
}
