import Engine
import Kernels
import OpenCL
@testable import OpenCLBackend
import Testing

/// Every kernel compiles alone: all its macros have defaults.
@Suite struct KernelSourceTests {
  @Test func thereAreKernels() { #expect(!KernelSources.kernelPaths.isEmpty) }

  /// A kernel, and for the pairwise product one of its epilogues.
  struct CompiledAlone: Sendable, CustomTestStringConvertible {
    let path: String
    var epilogue: String?
    var testDescription: String { epilogue ?? path }

    static let all = KernelSources.kernelPaths.flatMap { path in
      path == "pairwise/pairwise.cl"
        ? KernelSources.epiloguePaths.map { CompiledAlone(path: path, epilogue: $0) } : [CompiledAlone(path: path)]
    }

    func text() throws -> String {
      try KernelSources.flattened(
        KernelSources.Source(path), headers: epilogue.map { ["epilogue": KernelSources.Source($0)] } ?? [:])
    }
  }

  @Test(.needsDevice, arguments: CompiledAlone.all, TileShape.Variant.allCases)
  func compilesAlone(_ kernel: CompiledAlone, _ variant: TileShape.Variant) throws {
    guard case .device(let candidate, _) = try #require(TestBackend.devices.first) else { return }
    // A kernel with a name of one variant is written for it.
    guard !kernel.path.hasSuffix(variant == .gpu ? "_cpu.cl" : "_gpu.cl") else { return }
    var options = ["-DWEFT_VARIANT_GPU=\(variant == .gpu ? 1 : 0)", "-Werror"]
    if kernel.epilogue == "pairwise/epilogue_symmetric_top_k.clh" {
      // Its blocks must end where panels do, and it exists for CPU devices only.
      guard variant == .cpu else { return }
      options += ["-DPW_ROUNDS=1", "-DPW_TILES=6", "-DPW_ROWS=32"]
    }
    let text = try kernel.text()
    if kernel.epilogue != nil && text.contains("void pw_begin(") { options.append("-DPW_STATEFUL=1") }
    let context = try Context(device: candidate.device)
    _ = try Program.build(name: kernel.testDescription, source: text, options: options, context: context)
  }

  @Test(arguments: CompiledAlone.all) func hasNoIncludeLeft(_ kernel: CompiledAlone) throws {
    #expect(!(try kernel.text()).contains("#include"))
  }
}
