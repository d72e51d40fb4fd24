import Foundation
import Testing

/// `weft warm`: a model's kernels, compiled before its first run.
@Suite(.enabled(if: Places.hasDevice, "needs an OpenCL device"))
struct WarmTests {
  /// PoCL compiles a program into its own cache, a folder for each kernel and size of group.
  @Test func theFirstRunCompilesNothing() async throws {
    let folder = try TemporaryFolder()
    let driver = folder.path + "/driver"
    let environment = ["POCL_CACHE_DIR": driver, "XDG_CACHE_HOME": folder.path + "/cache"]
    let warm = try await Weft.run(["warm"], environment: environment, directory: folder.path)
    try #require(warm.status == 0, "\(warm.errorText)")
    #expect(warm.text.hasPrefix("litbank-tiny: kernels are ready"))
    let compiled = Self.objects(in: driver)
    guard !compiled.isEmpty else { return }  // another driver

    let input = try folder.file("in.txt", "Elizabeth Bennet walked to Meryton.\n".utf8)
    let run = try await Weft.run(["extract", "--lines", input], environment: environment, directory: folder.path)
    #expect(run.status == 0 && run.text.contains("Meryton"))
    #expect(Self.objects(in: driver) == compiled)
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/cache/weft"), "PoCL's cache is the only one")
  }

  @Test func whatIsWrongIsSaid() async throws {
    let missing = try await Weft.run(["warm", "--model", "/nowhere"])
    #expect(missing.status == 1 && missing.errorText.contains("/nowhere"))
    let both = try await Weft.run(["warm", "--all", "--model", "/nowhere"])
    #expect(both.status == 64 && both.errorText.contains("--all"))
  }

  /// Compiled kernels below a folder.
  private static func objects(in folder: String) -> Set<String> {
    let files = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    return Set(files.filter { $0.hasSuffix(".so") })
  }
}
