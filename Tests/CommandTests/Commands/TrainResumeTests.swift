import Foundation
import Testing

/// Trainings that are interrupted, and output folders that hold something.
@Suite struct TrainResumeTests {
  /// Starts a training in a shell, and sends it a signal as soon as its standard error has a line that matches: nothing
  /// but the shell's own words stands between the two, or a fast training would have ended.
  private static func script(_ signal: String, at line: String, _ options: String...) -> String {
    """
    rm -f errors && mkfifo errors
    $TRAIN \(options.joined(separator: " ")) 2> errors & pid=$!
    while read -r text; do case "$text" in \(line)) kill -\(signal) $pid; break ;; esac; done < errors

    """
  }

  /// Kills the training with SIGKILL at a line.
  private func kill(at line: String, _ files: TrainingFiles, _ more: String..., hasModel: Bool = false) async throws {
    let run = try await files.shell(
      Self.script("KILL", at: line, more.joined(separator: " ")) + "wait $pid; echo $?")
    #expect(run.lines.last == "137", "it was at work, and was killed: \(run.text)")
    #expect(files.hasModel == hasModel)
  }

  @Test func aTrainingThatWasKilledEndsInTheSameBits() async throws {
    let whole = try TrainingFiles()
    #expect(try await whole.train("--epochs", "150", "--mixup", "0.4", "--patience", "0").status == 0)
    let expected = try #require(whole.weights)

    let files = try TrainingFiles()
    let recipe = ["--epochs", "150", "--mixup", "0.4"].joined(separator: " ")
    // While it encodes, at once after an epoch, and later on; each time it goes on from where it was.
    try await kill(at: "encoding*", files, recipe)
    try await kill(at: "epoch\\ 1/150*", files, recipe, "--resume")
    try await kill(at: "epoch\\ 9/150*", files, recipe, "--resume")
    #expect(files.outputNames == ["training"])
    let resumed = try await files.train("--epochs", "150", "--mixup", "0.4", "--resume")
    #expect(resumed.status == 0, "\(resumed.errorText)")
    #expect(resumed.errorText.contains("weft: goes on after epoch ") && !resumed.errorText.contains("epoch 1/150"))
    #expect(files.weights == expected)
    #expect(files.outputNames == whole.outputNames, "what the training needed is gone")
    // All epochs are in the history, those of the processes that were killed too.
    let history = try #require(files.folder.contents(of: "model/history.jsonl")).split(separator: "\n")
      .map { try JSONObject(String($0)).integer("epoch") }
    #expect(history == Array(1...150))
  }

  @Test func aFullDiskLeavesTheCheckpointBefore() async throws {
    let whole = try TrainingFiles()
    #expect(try await whole.train().status == 0)
    let files = try TrainingFiles()
    // No file may grow past 25 kB: the checkpoint of the start is smaller, those with the best heads beside it larger.
    let full = try await files.shell("trap '' XFSZ; ulimit -f 50; exec $TRAIN")
    #expect(full.status == 1)
    let complaints = full.complaints.filter { !$0.hasPrefix("encoding") }
    #expect(
      complaints == ["Error: model/training/checkpoint.safetensors: cannot be written: File too large"],
      "\(full.errorText)")
    #expect(files.outputNames == ["training"])
    let left = try FileManager.default.contentsOfDirectory(atPath: files.folder.path + "/model/training")
    #expect(left.contains("checkpoint.safetensors") && !left.contains { $0.hasSuffix(".partial") })
    let resumed = try await files.train("--resume")
    #expect(resumed.status == 0 && resumed.errorText.contains("goes on after epoch 0 of 3"), "\(resumed.errorText)")
    #expect(files.weights == whole.weights && whole.weights != nil)
  }

  @Test func anOutputThatHoldsSomethingNeedsAWord() async throws {
    let files = try TrainingFiles()
    #expect(try await files.train().status == 0)
    let first = files.weights
    let refused = try await files.train("--seed", "3")
    #expect(refused.status == 1 && refused.output.isEmpty)
    #expect(refused.complaints.count == 1 && refused.errorText.hasPrefix("Error: model: holds a model: --overwrite"))
    let ended = try await files.train("--resume")
    #expect(ended.status == 1 && ended.errorText.contains("nothing is left to resume"))
    #expect(files.weights == first)

    // A training that replaces a model leaves it alone until it has ended.
    try await kill(at: "epoch\\ 2/*", files, "--seed", "3", "--epochs", "400", "--overwrite", hasModel: true)
    #expect(files.weights == first && files.hasModel && files.outputNames.contains("training"))
    let unfinished = try await files.train()
    #expect(unfinished.status == 1 && unfinished.errorText.contains("holds an unfinished training: --resume"))
    let other = try await files.train("--resume", "--seed", "3")
    #expect(other.status == 1 && other.complaints.count == 1)
    #expect(other.errorText.contains("is of a training with epochs 400, not 3"), "\(other.errorText)")
    #expect(files.weights == first)
    #expect(try await files.train("--seed", "3", "--overwrite").status == 0)
    #expect(files.weights != first && !files.outputNames.contains("training"))
  }

  @Test func twoTrainingsDoNotShareAnOutput() async throws {
    let files = try TrainingFiles()
    // The first is stopped, not ended, while the second asks.
    let run = try await files.shell(
      Self.script("STOP", at: "epoch\\ 1/*") + "$TRAIN --resume; echo $?; kill -KILL $pid", "--epochs", "400")
    #expect(run.lines.last == "1" && run.complaints == ["Error: model: another training is at work in it"])
  }
}
