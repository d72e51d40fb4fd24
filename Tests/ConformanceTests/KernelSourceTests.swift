import Kernels
import OpenCL
@testable import OpenCLBackend
import Testing

/// Every kernel compiles alone: all its macros have defaults.
@Suite struct KernelSourceTests {
  @Test func thereAreKernels() { #expect(!KernelSources.kernelPaths.isEmpty) }

  @Test(.needsDevice, arguments: KernelSources.kernelPaths, TileShape.Variant.allCases)
  func compilesAlone(_ path: String, _ variant: TileShape.Variant) throws {
    guard case .device(let candidate, _) = try #require(TestBackend.devices.first) else { return }
    let context = try Context(device: candidate.device)
    _ = try Program.build(
      name: path, source: try KernelSources.flattened(path),
      options: ["-DWEFT_VARIANT_GPU=\(variant == .gpu ? 1 : 0)", "-Werror"], context: context)
  }

  @Test(arguments: KernelSources.kernelPaths)
  func hasNoIncludeLeft(_ path: String) throws {
    let text = try KernelSources.flattened(path)
    #expect(!text.contains("#include"))
  }
}
