import Conformance
import Engine
import Foundation
import Kernels
import OpenCLBackend
import Testing

/// `weft conformance --programs`: what static checks of the kernels read.
@Suite struct ConformanceProgramsTests {
  private struct Listing: Decodable {
    struct Program: Decodable {
      let file: String
      let source: String
      let headers: [String]
      let entry: String
      let defines: [String: String]
      let groupSize: Int
    }

    let programs: [Program]
  }

  /// What a compiler is given, and what the kernel is launched with.
  private struct Compiled: Hashable {
    let text: String
    let entry: String
    let defines: [String: String]
    let groupSize: Int
  }

  private func listing(_ folder: TemporaryFolder) throws -> Listing {
    let text = try #require(folder.contents(of: "programs/programs.json"))
    return try JSONDecoder().decode(Listing.self, from: Data(text.utf8))
  }

  private func write(_ more: String..., into folder: TemporaryFolder) async throws -> CommandRun {
    try await Weft.run(["conformance", "--programs", "programs"] + more, directory: folder.path)
  }

  @Test(arguments: TileShape.Variant.allCases) func folderHoldsEveryProgram(_ variant: TileShape.Variant) async throws {
    let folder = try TemporaryFolder()
    let run = try await write("--variant", variant.rawValue, into: folder)
    #expect(run.status == 0, "\(run.errorText)")
    let programs = try listing(folder).programs
    let written = try programs.map { program in
      Compiled(
        text: try #require(folder.contents(of: "programs/\(program.file)"), "\(program.file)"), entry: program.entry,
        defines: program.defines, groupSize: program.groupSize)
    }
    #expect(Set(written).count == written.count)

    let tiles = TileShape(variant, maxWorkGroupSize: 256)
    let launched = try await ConformanceKit.launches(with: tiles).map { launch in
      Compiled(
        text: try launch.program.source.flattened(), entry: launch.program.entry, defines: launch.program.defines,
        groupSize: launch.groupSize)
    }
    #expect(Set(written) == Set(launched))

    // Some kernels are a variant's own, and only processors compute a set's products once.
    let others = variant == .cpu ? "_gpu.cl" : "_cpu.cl"
    let processorsOnly =
      variant == .cpu ? [] : ["pairwise/symmetric_lists.cl", "pairwise/epilogue_symmetric_top_k.clh"]
    let kernels = KernelSources.kernelPaths.filter { !$0.hasSuffix(others) }
    #expect(Set(programs.map(\.source)) == Set(kernels).subtracting(processorsOnly))
    let headers = Set(programs.flatMap(\.headers).map { "pairwise/\($0).clh" })
    #expect(headers == Set(KernelSources.epiloguePaths).subtracting(processorsOnly))
  }

  @Test func smallerGroupsHaveOtherTiles() async throws {
    let folder = try TemporaryFolder()
    let run = try await write("--variant", "gpu", "--work-group", "64", "--small", "--filter", "dense/", into: folder)
    #expect(run.status == 0, "\(run.errorText)")
    let products = try listing(folder).programs.filter { $0.headers == ["epilogue_dense"] }
    #expect(!products.isEmpty)
    for product in products { #expect(product.groupSize == 64 && product.defines["PW_GROUP_ROWS"] == "8") }
  }

  @Test func folderThatHoldsSomethingIsLeftAlone() async throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: folder.path + "/programs", withIntermediateDirectories: false)
    _ = try folder.file("programs/mine", "mine".utf8)
    let run = try await write("--variant", "gpu", "--small", "--filter", "rotate/", into: folder)
    #expect(run.status != 0 && run.errorText.contains("programs"), "\(run.errorText)")
    #expect(folder.names == ["programs"] && folder.contents(of: "programs/mine") == "mine")
  }
}
