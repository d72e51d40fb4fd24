import Foundation
import Testing

/// Where output goes, and what is left when a run fails.
@Suite(.enabled(if: Places.hasDevice, "needs an OpenCL device"))
struct OutputTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func fileHoldsWhatStandardOutputWould() async throws {
    let input = Samples.jsonLines(Samples.sentences)
    let plain = try await Weft.run("extract", input: input)
    let run = try await Weft.run(
      ["extract", "--output", "out.jsonl"], input: input, directory: folder.path)
    #expect(run.status == 0)
    #expect(run.output.isEmpty)
    #expect(folder.names == ["out.jsonl"])
    #expect(folder.contents(of: "out.jsonl") == plain.text)
  }

  /// The input ends only when the test has looked into the folder.
  @Test func fileAppearsOnlyComplete() async throws {
    let run = try await Weft.shell(
      """
      mkfifo pipe
      "$WEFT" extract --output out.jsonl < pipe & process=$!
      exec 3> pipe
      echo '{"text":"Mr. Reed"}' >&3
      for i in $(seq 1200); do ls -A | grep -q partial && break; sleep 0.1; done
      ls -A
      exec 3>&-
      wait $process && ls -A
      """, directory: folder.path)
    #expect(run.status == 0)
    #expect(run.lines.count == 4)
    #expect(run.lines.first?.hasSuffix(".partial") == true)
    #expect(Array(run.lines.dropFirst()) == ["pipe", "out.jsonl", "pipe"])
  }

  @Test(arguments: ["INT", "TERM"])
  func interruptionLeavesNothingBehind(signal: String) async throws {
    let run = try await Weft.shell(
      """
      mkfifo pipe
      exec 3<> pipe
      env --default-signal=INT "$WEFT" extract --output out.jsonl < pipe & process=$!
      for i in $(seq 1200); do ls -A | grep -q partial && break; sleep 0.1; done
      ls -A | grep -c partial
      kill -\(signal) $process
      wait $process
      echo $?
      ls -A
      """, directory: folder.path)
    #expect(run.lines == ["1", signal == "INT" ? "130" : "143", "pipe"])
  }

  /// Who writes a line to a pipe and waits for its answer gets it.
  @Test func answersDoNotWaitForTheEndOfTheInput() async throws {
    let run = try await Weft.shell(
      """
      mkfifo pipe
      "$WEFT" extract < pipe > out.jsonl & process=$!
      exec 3> pipe
      for line in 1 2; do
        echo '{"text":"Mr. Reed"}' >&3
        for i in $(seq 1200); do [ $(wc -l < out.jsonl) = $line ] && break; sleep 0.1; done
        wc -l < out.jsonl
      done
      exec 3>&-
      wait $process
      """, directory: folder.path)
    #expect(run.status == 0)
    #expect(run.lines == ["1", "2"])
  }

  @Test func failuresLeaveNothingBehind() async throws {
    _ = try folder.file("old.jsonl", "before".utf8)
    let failing: [[String]] = [
      ["--model", "nowhere"], ["--device", "nowhere"], ["nowhere.jsonl"], ["."],
    ]
    for arguments in failing {
      for output in ["out.jsonl", "old.jsonl"] {
        let run = try await Weft.run(
          ["extract", "--output", output] + arguments, directory: folder.path)
        #expect(run.status == 1)
        #expect(run.complaints.count == 1 && run.errorText.contains(arguments.last ?? ""))
      }
    }
    #expect(folder.names == ["old.jsonl"])
    #expect(folder.contents(of: "old.jsonl") == "before")
  }

  @Test func missingInputIsMetBeforeAnyWork() async throws {
    let first = try folder.file("first.jsonl", #"{"text":"Mr. Reed"}"#.utf8)
    let run = try await Weft.run("extract", "--model", "nowhere", first, "missing.jsonl")
    #expect(run.status == 1)
    #expect(run.output.isEmpty)
    #expect(run.errorText == "Error: cannot read missing.jsonl: No such file or directory\n")
  }

  @Test func placesThatCannotBeWritten() async throws {
    let run = try await Weft.run("extract", "--output", "/no/such/folder/out.jsonl")
    #expect(run.status == 1)
    #expect(run.errorText.contains("cannot write /no/such/folder/out.jsonl"))
    let full = try await Weft.run("extract", "--output", "/dev/full", input: #"{"text":"a"}"#)
    #expect(full.status == 1)
    #expect(full.errorText.contains("cannot write /dev/full: No space left on device"))
  }

  @Test func readerThatLeavesEndsTheRunQuietly() async throws {
    let lines = Array(repeating: Samples.manyLines, count: 40).joined().joined(separator: "\n")
    _ = try folder.file("in.jsonl", lines.utf8)
    let run = try await Weft.shell(
      #"{ "$WEFT" extract in.jsonl; echo "status $?" >&2; } | head -1"#, directory: folder.path)
    #expect(run.lines.count == 1)
    #expect(run.errorText == "status 0\n")
  }
}
