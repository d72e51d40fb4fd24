import Foundation
import ModelFiles
import Testing

/// Names and contents of files in messages: nothing of them moves the cursor, or looks like a line of the command's own.
@Suite struct HostileNameTests {
  private static let name = "a\u{1B}[2J\u{9B}31m\u{202E}b\nError: forged"

  private func check(
    _ run: CommandRun, fails: Bool = true, _ words: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(
      fails ? [1, 64].contains(run.status) : run.status == 0, "\(run.status): \(run.errorText)",
      sourceLocation: sourceLocation)
    let scalars = (run.errorText + run.text).unicodeScalars
    #expect(
      !scalars.contains { $0 != "\n" && $0.properties.generalCategory == .control }, sourceLocation: sourceLocation)
    #expect(!scalars.contains("\u{202E}"), sourceLocation: sourceLocation)
    #expect(
      !run.errorText.split(separator: "\n").contains { $0.hasPrefix("Error: forged") }, sourceLocation: sourceLocation)
    #expect(words.isEmpty || run.errorText.contains(words), "\(run.errorText)", sourceLocation: sourceLocation)
  }

  @Test func namesOfFiles() async throws {
    let folder = try TemporaryFolder()
    let shown = #"a\u{1B}[2J\u{009B}31m\u{202E}b\nError: forged"#
    let missing = folder.path + "/" + Self.name
    check(try await Weft.run("extract", missing), shown)
    check(try await Weft.run("extract", "--model", missing, input: ""), shown)
    check(try await Weft.run("hubness", missing, "-k", "1"), shown)
    check(try await Weft.run("argmaxable", missing, "--tensor", "w"), shown)
    check(try await Weft.run("quality", missing, "--reference", missing), shown)
    let there = try folder.file(Self.name, Array("text".utf8))
    check(try await Weft.run("hubness", there, "-k", "1"), shown)
    check(try await Weft.run("sample", "--data", there, "--count", "1", "--output", "o.png"), shown)
    check(try await Weft.run("hubness", "v.npy", "--no-such\u{1B}[2J\nError: forged"), #"\nError: forged"#)
  }

  @Test func contentsOfFiles() async throws {
    let folder = try TemporaryFolder()
    let format = #"{"format": "\n\u001b[2J", "version": 2, "entries": []}"#
    let table = try folder.file("gamma.json", Array(format.utf8))
    check(
      try await Weft.run("schedule", "--sampler", "analytic-ddpm", "--steps", "3", "--gamma", table),
      #"format is '\n\u{1B}[2J'"#)
    var writer = SafetensorsWriter()
    writer.add("w\u{1B}[2J\nError: forged", floats: [1, 2], shape: [1, 2])
    let path = folder.path + "/m.safetensors"
    try writer.write(to: path)
    check(try await Weft.run("hubness", path, "-k", "1"), #"w\u{1B}[2J\nError: forged"#)
    check(try await Weft.run("argmaxable", path, "--tensor", "x"), #"w\u{1B}[2J\nError: forged"#)
  }

  /// The names of classes in a report.
  @Test func namesInReports() async throws {
    let folder = try TemporaryFolder()
    var writer = SafetensorsWriter()
    writer.add("w", floats: [1, 0, -1, 0, 0, 1, 0, -1, 0, 0], shape: [5, 2])
    let path = folder.path + "/m.safetensors"
    try writer.write(to: path)
    let vocab = try folder.file("vocab.txt", Array("a\nb\nc\nd\ne\u{1B}[2J\u{202E}\u{7}\n".utf8))
    let run = try await Weft.run("argmaxable", path, "--tensor", "w", "--vocab", vocab, "--device", "cpu")
    check(run, fails: false, "")
    #expect(run.text.contains("e"))
  }
}
