import Foundation
import Testing

/// Signals: those that end a process leave no unfinished file, and those that it was started to ignore stay ignored.
@Suite struct SignalTests {
  static let numbers: [String: Int32] = ["HUP": SIGHUP, "INT": SIGINT, "TERM": SIGTERM]

  /// `nohup` and a shell's background jobs have a process ignore signals. A driver that is loaded later, or Weft, must
  /// not undo that. The input is a pipe, so the signals come after the device was opened and in the middle of the run.
  @Test(arguments: Places.hasDevice ? ["cpu", "opencl"] : ["cpu"])
  func ignoredSignalsStayIgnored(device: String) async throws {
    let folder = try TemporaryFolder()
    let run = try await Weft.shell(
      """
      mkfifo in
      (trap '' HUP INT; exec "$WEFT" extract --device \(device) --lines in --output out.jsonl) & pid=$!
      exec 3> in
      echo 'Mr. Reed met his aunt.' >&3
      while [ -z "$(ls -A | grep partial)" ] && kill -0 $pid; do sleep 0.02; done
      kill -HUP $pid; kill -INT $pid; sleep 0.1; kill -HUP $pid
      echo 'They went to London.' >&3
      exec 3>&-
      wait $pid
      """, directory: folder.path)
    #expect(run.status == 0, "\(run.errorText)")
    #expect(folder.contents(of: "out.jsonl")?.split(separator: "\n").count == 2)
    #expect(folder.names == ["in", "out.jsonl"])
  }

  /// What a process ignores is seen from outside, in the system's list of its signals.
  @Test(.enabled(if: Places.hasDevice, "needs an OpenCL device"))
  func aDriverDoesNotUndoThatSignalsAreIgnored() async throws {
    let folder = try TemporaryFolder()
    let run = try await Weft.shell(
      """
      mkfifo in
      (trap '' HUP INT USR2 XFSZ; exec "$WEFT" extract --device opencl --lines in --output out.jsonl) & pid=$!
      exec 3> in
      while [ -z "$(ls -A | grep partial)" ] && kill -0 $pid; do sleep 0.02; done
      grep SigIgn /proc/$pid/status
      exec 3>&-
      wait $pid
      """, directory: folder.path)
    let mask = try #require(run.lines.first?.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) })
    for number in [SIGHUP, SIGINT, SIGUSR2, SIGXFSZ] {
      #expect(mask >> (UInt64(number) - 1) & 1 == 1, "signal \(number) in \(run.text)")
    }
  }

  @Test(arguments: numbers.keys.sorted())
  func aTrainingThatIsStoppedLeavesNothingUnfinished(signal: String) async throws {
    let files = try TrainingFiles()
    let run = try await files.shell(
      """
      mkfifo errors
      env --default-signal=INT --default-signal=HUP $TRAIN --epochs 150 2> errors & pid=$!
      while read -r text; do case "$text" in encoding*) kill -\(signal) $pid; break ;; esac; done < errors
      wait $pid
      """)
    let number = try #require(Self.numbers[signal])
    #expect(run.status == 128 + number, "\(run.text)")
    let left = try FileManager.default.subpathsOfDirectory(atPath: files.folder.path + "/model")
    #expect(!left.contains { $0.hasSuffix(".partial") || $0.hasSuffix(".tmp") }, "\(left)")
    // Nothing is lost: the training can be resumed or begun again.
    // With as many epochs: on a busy machine the first checkpoint may be there, and it is of such a training.
    let resumed = try await files.train("--epochs", "150", "--resume")
    #expect(resumed.status == 0, "\(resumed.errorText)")
    #expect(files.hasModel)
  }

  @Test(arguments: numbers.keys.sorted())
  func anOutputThatIsStoppedLeavesNothing(signal: String) async throws {
    let folder = try TemporaryFolder()
    let number = try #require(Self.numbers[signal])
    let run = try await Weft.shell(
      """
      mkfifo in
      env --default-signal=INT --default-signal=HUP "$WEFT" extract --device cpu --lines in --output out.jsonl & pid=$!
      exec 3> in
      while [ -z "$(ls -A | grep partial)" ] && kill -0 $pid; do sleep 0.02; done
      kill -\(signal) $pid
      wait $pid
      """, directory: folder.path)
    #expect(run.status == 128 + number, "\(run.text)")
    #expect(folder.names == ["in"])
  }
}

/// Limits on what the system gives a process.
@Suite struct ProcessLimitTests {
  /// Without room for a thread the task scheduler would wait without end; with room for few, Swift would end the process.
  /// The program and its libraries take 100 MB by themselves, with less it cannot begin.
  @Test(arguments: [130_000, 150_000, 200_000, 300_000])
  func tooLittleAddressSpaceIsSaid(kilobytes: Int) async throws {
    let folder = try TemporaryFolder()
    _ = try folder.file("in.txt", "Mr. Reed met his aunt.\n".utf8)
    let run = try await Weft.shell(
      "ulimit -v \(kilobytes); exec timeout 60 \"$WEFT\" extract --device cpu --lines in.txt", directory: folder.path)
    #expect(run.status == 1 && run.output.isEmpty)
    #expect(run.complaints.count == 1, "\(run.errorText)")
    #expect(run.complaints.first?.hasPrefix("Error: too little memory: 'ulimit -v' allows this process ") == true)
    #expect(run.complaints.first?.contains("ulimit -v unlimited") == true)
  }

  /// PoCL and its compiler would end the process by an exception or a bad access.
  @Test(.enabled(if: Places.hasDevice, "needs an OpenCL device"), arguments: [600_000, 900_000, 1_100_000])
  func tooLittleAddressSpaceForADriverIsSaid(kilobytes: Int) async throws {
    let folder = try TemporaryFolder()
    let run = try await Weft.shell(
      "ulimit -v \(kilobytes); exec timeout 60 \"$WEFT\" sample --data DIGITS --count 2 --steps 3 --array o.npy",
      directory: folder.path)
    #expect(run.status == 1 && folder.names.isEmpty)
    #expect(run.complaints.count == 1, "\(run.errorText)")
    #expect(run.errorText.contains("too little memory: 'ulimit -v' allows") && run.errorText.contains("--device cpu"))
  }

  @Test func enoughAddressSpaceIsEnough() async throws {
    let folder = try TemporaryFolder()
    _ = try folder.file("in.txt", "Mr. Reed met his aunt.\n".utf8)
    let processors = ProcessInfo.processInfo.activeProcessorCount
    let run = try await Weft.shell(
      "ulimit -v \((processors + 2) * 73_728 + 400_000); exec timeout 60 \"$WEFT\" extract --device cpu --lines in.txt",
      directory: folder.path)
    #expect(run.status == 0 && run.lines.count == 1, "\(run.errorText)")
  }
}
