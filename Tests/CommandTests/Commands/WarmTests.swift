import Foundation
import Testing

/// `weft warm`: a model's kernels, compiled before its first run.
@Suite(.enabled(if: Places.hasDevice, "needs an OpenCL device"))
struct WarmTests {
  @Test func theFirstRunCompilesNothing() async throws {
    let folder = try TemporaryFolder()
    // A run that compiles a program would store its binary.
    let environment: [String: String?] = [
      "POCL_CACHE_DIR": folder.path + "/driver", "XDG_CACHE_HOME": folder.path + "/cache", "WEFT_CACHE": "always",
    ]
    func stored() -> [String] {
      let files = try? FileManager.default.contentsOfDirectory(atPath: folder.path + "/cache/weft")
      return (files ?? []).filter { $0.hasSuffix(".weftbin") }.sorted()
    }
    let warm = try await Weft.run(["warm"], environment: environment.merging(["WEFT_CACHE": nil]) { $1 })
    try #require(warm.status == 0, "\(warm.errorText)")
    #expect(warm.text.hasPrefix("litbank-tiny: kernels are ready"))
    let binaries = stored()
    let input = try folder.file("in.txt", "Elizabeth Bennet walked to Meryton.\n".utf8)
    let run = try await Weft.run(["extract", "--lines", input], environment: environment)
    #expect(run.status == 0 && run.text.contains("Meryton"))
    #expect(!binaries.isEmpty && stored() == binaries)
  }

  @Test func whatIsWrongIsSaid() async throws {
    let missing = try await Weft.run(["warm", "--model", "/nowhere"])
    #expect(missing.status == 1 && missing.errorText.contains("/nowhere"))
    let both = try await Weft.run(["warm", "--all", "--model", "/nowhere"])
    #expect(both.status == 64 && both.errorText.contains("--all"))
  }
}
