import Testing

@testable import OpenCL

/// What is said of a program that was not built.
@Suite struct BuildFailureTextTests {
  private func text(_ status: CLStatus, log: String = "") -> String {
    BuildFailure(status: status, program: "tile", options: ["-DROWS=8"], device: "Device", log: log, source: "one\ntwo")
      .description
  }

  @Test(
    arguments: [
      (.outOfHostMemory, "ran out of memory"), (.outOfResources, "ran out of resources"),
      (.allocationFailure, "ran out of resources"), (.compilerNotAvailable, "no compiler"),
      (.deviceNotAvailable, "not available"), (CLStatus(rawValue: -9999), "gave up"),
    ] as [(CLStatus, String)])
  func aCompilerThatDidNotWorkIsNotSaidToReject(status: CLStatus, words: String) {
    #expect(!text(status).contains("does not compile") && !text(status).contains("(empty)"))
    #expect(text(status).hasPrefix("program tile was not compiled for Device: "))
    #expect(text(status).contains(words) && !text(status).contains("\n"))
    #expect(text(status, log: "out of memory\n").hasSuffix("\n  log:\n    out of memory"))
  }

  @Test(arguments: [CLStatus.buildProgramFailure, .invalidBuildOptions])
  func anErrorOfTheSourceIsQuoted(status: CLStatus) {
    let text = text(status, log: "a.cl:2:1: error: unknown name")
    #expect(text.hasPrefix("program tile does not compile for Device\n  options: -DROWS=8"))
    #expect(text.contains("2: two") && !text.contains("POCL_CACHE_DIR"))
  }

  /// PoCL's words where it cannot write its files; and what LLVM says.
  @Test(arguments: ["Device failed to build the program", "error: No space left on device", ""])
  func aLogWithoutAnErrorPointsToTheFolders(log: String) {
    #expect(text(.buildProgramFailure, log: log).contains("POCL_CACHE_DIR"))
  }

  @Test func foldersAreThoseOfTheEnvironment() async throws {
    func folders(_ variables: [String: String]) -> [String] { CompilerFolders { variables[$0] }.folders }
    #expect(folders(["POCL_CACHE_DIR": "/a", "XDG_CACHE_HOME": "/b", "HOME": "/c"]) == ["/a", "/tmp"])
    #expect(folders(["XDG_CACHE_HOME": "/b", "HOME": "/c", "TMPDIR": "/d"]) == ["/b/pocl", "/d"])
    #expect(folders(["HOME": "/c"]) == ["/c/.cache/pocl", "/tmp"])
    try await withTemporaryDirectory { directory in
      // A folder below a file cannot be made.
      let advice = CompilerFolders { ["POCL_CACHE_DIR": "/dev/null/cache", "TMPDIR": directory][$0] }.advice
      #expect(advice.hasPrefix("/dev/null/cache cannot be used (Not a directory): "))
    }
  }

  @Test(.needsDevice) func aDriverWithoutRoomIsReportedAsThat() throws {
    let context = try Bench.open().context
    let error = #expect(throws: OpenCLError.self) {
      try FaultInjection.failing("clBuildProgram", with: .outOfHostMemory) {
        _ = try Program.build(name: "fine", source: "__kernel void f(__global int *x) { *x = 1; }", context: context)
      }
    }
    #expect(error?.status == .outOfHostMemory && error?.status.isExhaustion == true)
    #expect(error?.detail.contains("does not compile") == false)
    #expect(error?.detail.contains("program fine was not compiled") == true, "\(error?.detail ?? "")")
  }
}
