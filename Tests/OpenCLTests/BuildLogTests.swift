import Testing

@testable import OpenCL

@Suite struct BuildLogTests {
  @Test(
    arguments: [
      ("<kernel>:3:5: error: use of undeclared identifier", 3),
      ("/tmp/a b/tempfile.cl:12:1: fatal error: no such file", 12),
      ("error: /tmp/x.cl:7:20: expected ';'", 7),
      ("input.cl:9:2: warning: unused", nil),
      ("1 error generated.", nil),
      ("error:", nil),
      ("error: 99999999999999999999:1:", nil),
    ] as [(String, Int?)])
  func findsTheLineOfAnError(complaint: String, line: Int?) {
    #expect(BuildLog.lineNumber(in: complaint[...]) == line)
  }

  @Test func presentsEverythingInOrder() {
    let log = BuildLog(
      program: "tile", options: ["-DROWS=8", "-DCOLUMNS=2"], device: "Device",
      log: "a.cl:2:1: error: first\na.cl:2:9: error: again\na.cl:900:1: error: elsewhere\n",
      source: "one\n\nthree".replacing("\n\n", with: "\ntwo\n"))
    #expect(
      log.description == """
        program tile does not compile for Device
          options: -DROWS=8 -DCOLUMNS=2
          log:
            a.cl:2:1: error: first
            a.cl:2:9: error: again
            a.cl:900:1: error: elsewhere
          source:
            2: two
        """)
  }

  @Test func emptyLinesCount() {
    let log = BuildLog(
      program: "p", options: [], device: "d", log: "a:4:1: error: x", source: "1\n\n\n4\n")
    #expect(log.quotedLines.map(\.text) == ["4"])
    #expect(log.description.contains("options: none"))
  }

  @Test func lineDirectivesAreFollowed() {
    let log = BuildLog(
      program: "p", options: [], device: "d", log: "x: b.cl:2:1: error: here\na.cl:3:1: error: and here",
      source: "#line 1 \"a.cl\"\na1\n#line 1 \"b.cl\"\nb1\nb2\n#line 3 \"a.cl\"\na3\n")
    #expect(log.quotedLines.map(\.text) == ["b2", "a3"])
    #expect(log.quotedLines.map(\.number) == [2, 3])
  }

  @Test func aSilentCompilerIsSaidToBeSilent() {
    let log = BuildLog(program: "p", options: [], device: "d", log: "", source: "")
    #expect(log.description.hasSuffix("  log:\n    (empty)"))
  }
}

@Suite(.needsDevice) struct BuildFailureTests {
  @Test func saysWhatAndWhere() throws {
    let context = try Bench.open().context
    let source = "__kernel void broken(__global int *x)\n{\n  x[0] = unknown_name;\n}\n"
    let error = #expect(throws: OpenCLError.self) {
      _ = try Program.build(
        name: "broken program", source: source, options: ["-DROWS=8"], context: context)
    }
    let detail = try #require(error?.detail)
    #expect(error?.call == "clBuildProgram")
    #expect(error?.status == .buildProgramFailure)
    #expect(detail.contains("program broken program does not compile"))
    #expect(detail.contains("-DROWS=8"))
    #expect(detail.contains("x[0] = unknown_name;"))
  }

  @Test func optionsReachTheCompiler() throws {
    let context = try Bench.open().context
    let program = try Program.build(
      name: "options", source: "__kernel void NAME(__global int *x) { *x = VALUE; }",
      options: ["-DNAME=renamed", "-D", "VALUE=3"], context: context)
    #expect(program.kernelNames == ["renamed"])
  }

  /// A build that fails although its log cannot be read is still reported as a failed build.
  @Test func aMissingLogDoesNotHideTheFailure() throws {
    let context = try Bench.open().context
    let error = #expect(throws: OpenCLError.self) {
      try FaultInjection.failing("clGetProgramBuildInfo", occurrence: nil, with: .invalidValue) {
        _ = try Program.build(name: "mute", source: "garbage", context: context)
      }
    }
    #expect(error?.status == .buildProgramFailure)
    #expect(error?.detail.contains("(empty)") == true)
  }
}
