import Foundation
import ModelFiles
import Testing

/// `weft hubs`, and `weft sample --noise`, which starts from what it keeps.
@Suite struct HubsTests {
  private let files: VectorFiles

  init() throws { files = try VectorFiles() }

  private func run(_ arguments: String...) async throws -> CommandRun {
    try await Weft.run(arguments, directory: files.folder.path)
  }

  @Test func hubsOfAFileAreKeptAsTheyAre() async throws {
    let kept = try await run(
      "hubs", "--device", "cpu", "star.npy", "-k", "1", "--at-least", "1", "--output", "hubs.npy")
    #expect(kept.status == 0 && kept.output.isEmpty, "\(kept.errorText)")
    #expect(
      kept.errorText.contains("2 of 6 latents kept (33.33 %), with N from 1 to 5 and a mean norm of 1.061 √d"),
      "\(kept.errorText)")
    let hubs = try files.array("hubs.npy")
    #expect(hubs.shape == [2, 2] && hubs.values == [3, 0, 0, 0])
    let tensor = try await run(
      "hubs", "--device", "cpu", "model.safetensors#points", "-k", "3", "--at-least", "0", "--output", "all.npy")
    #expect(tensor.status == 0, "\(tensor.errorText)")
    #expect(try files.array("all.npy").values == VectorFiles.points)
  }

  /// Kept latents are those of `weft hubness`'s largest N, drawn as samples' noise is.
  @Test func drawnLatentsAreTheSeeds() async throws {
    let drawn = ["hubs", "--device", "cpu", "--dimension", "8", "--draws", "200", "--seed", "3", "-k", "4"]
    func draw(_ arguments: String...) async throws -> CommandRun {
      try await Weft.run(drawn + arguments, directory: files.folder.path)
    }
    #expect(try await draw("--at-least", "0", "--output", "all.npy").status == 0)
    #expect(try await draw("--at-least", "8", "--output", "hubs.npy").status == 0)
    let (all, hubs) = (try files.array("all.npy"), try files.array("hubs.npy"))
    #expect(all.shape == [200, 8] && hubs.shape[1] == 8)
    let report = try await run("hubness", "--device", "cpu", "all.npy", "-k", "4", "--json").object().object("hubness")
    let histogram = try report.integers("histogram")
    #expect(histogram.dropFirst(8).reduce(0, +) == hubs.shape[0] && hubs.shape[0] > 0)
    let rows = Set((0..<200).map { Array(all.values[$0 * 8..<$0 * 8 + 8]) })
    #expect((0..<hubs.shape[0]).allSatisfy { rows.contains(Array(hubs.values[$0 * 8..<$0 * 8 + 8])) })
    #expect(try await draw("--at-least", "8", "--output", "again.npy").status == 0)
    #expect(files.bytes("again.npy") == files.bytes("hubs.npy"))
  }

  @Test func samplesStartFromThem() async throws {
    try files.write("data.npy", (0..<64).map { Float($0 * 29 % 17) }, [8, 8])
    let common = ["sample", "--device", "cpu", "--data", "data.npy", "--sampler", "ddim", "--steps", "6"]
    func sample(_ arguments: String...) async throws -> CommandRun {
      try await Weft.run(common + arguments, directory: files.folder.path)
    }
    // All latents of a seed, in order, are the noise of that seed.
    #expect(
      try await run(
        "hubs", "--device", "cpu", "--dimension", "8", "--draws", "5", "--seed", "9", "-k", "1", "--at-least", "0",
        "--output", "noise.npy"
      ).status == 0)
    let given = try await sample("--noise", "noise.npy", "--array", "given.npy")
    #expect(given.status == 0, "\(given.errorText)")
    #expect(try await sample("--seed", "9", "--count", "5", "--array", "drawn.npy").status == 0)
    #expect(try files.array("given.npy").shape == [5, 8] && files.bytes("given.npy") == files.bytes("drawn.npy"))
    let fewer = try await sample("--noise", "noise.npy", "--count", "2", "--array", "fewer.npy")
    #expect(fewer.status == 0, "\(fewer.errorText)")
    #expect(try files.array("fewer.npy").values == Array(files.array("given.npy").values.prefix(16)))
    // Flat noise for images of as many elements.
    try files.write("images.npy", (0..<64).map { Float($0 * 29 % 17) }, [8, 2, 4])
    let images = try await run(
      "sample", "--device", "cpu", "--data", "images.npy", "--noise", "noise.npy", "--steps", "6", "--array", "i.npy")
    #expect(try images.status == 0 && files.array("i.npy").shape == [5, 2, 4], "\(images.errorText)")
  }

  @Test func noiseThatCannotBeUsed() async throws {
    try files.write("nan.npy", [1, 2, .nan], [1, 3])
    try files.write("wide.npy", [1, 2, 3, 4], [1, 4])
    let before = files.folder.names
    for (arguments, status, says) in [
      (["nan.npy"], 1, "nan.npy"), (["wide.npy"], 1, "shape [1, 4], where noise for n samples is expected: [n, 3]"),
      (["none.npy"], 1, "none.npy"), (["points.npy", "--count", "61"], 1, "holds noise for 60 samples, and 61"),
      ([""], 64, "--noise"), (["points.npy", "--start", "points.npy"], 64, "--noise"),
      (["points.npy", "--interpolate", "1,2"], 64, "--noise"),
    ] as [([String], Int32, String)] {
      let run = try await Weft.run(
        ["sample", "--device", "cpu", "--data", "points.npy", "--array", "out.npy", "--noise"] + arguments,
        directory: files.folder.path)
      #expect(run.status == status && run.errorText.contains(says), "\(arguments): \(run.errorText)")
      #expect(files.folder.names == before)
    }
    let same = try await run("sample", "--data", "points.npy", "--noise", "star.npy", "--array", "star.npy")
    #expect(same.status == 64 && same.errorText.contains("would be overwritten"))
  }

  /// One line, status 1, and no file, or the old one.
  @Test func whatCannotBeDone() async throws {
    try files.write("nan.npy", [1, 2, .nan, 4], [2, 2])
    _ = try files.folder.file("old.npy", "before".utf8)
    let before = files.folder.names
    for (arguments, says) in [
      (
        ["star.npy", "-k", "1", "--at-least", "6"],
        "none of 6 has 6 others that have it among their 1 nearest; the most is 5"
      ),
      (["star.npy", "-k", "6"], "k is 6"), (["nan.npy", "-k", "1"], "vector 1 has nan at 0"),
      (["none.npy"], "none.npy"), (["model.safetensors"], "which of its tensors?"),
    ] {
      for output in ["out.npy", "old.npy"] {
        let run = try await Weft.run(
          ["hubs", "--device", "cpu", "--output", output] + arguments, directory: files.folder.path)
        #expect(run.status == 1 && run.complaints.count == 1 && run.errorText.contains(says), "\(run.errorText)")
        #expect(files.folder.names == before && files.folder.contents(of: "old.npy") == "before")
      }
    }
    for output in ["/no/such/folder/out.npy", "/dev/full"] {
      let run = try await run(
        "hubs", "--device", "cpu", "star.npy", "-k", "1", "--at-least", "1", "--output", output)
      #expect(run.status == 1 && run.complaints.count == 1 && run.errorText.contains(output), "\(run.errorText)")
    }
  }

  @Test(arguments: [
    ["--output", "o.npy"], ["--dimension", "4"], ["--dimension", "0", "--output", "o.npy"],
    ["--dimension", "4", "--draws", "5", "-k", "5", "--output", "o.npy"],
    ["--dimension", "4", "--output", "o.png"], ["--dimension", "4", "--at-least", "-1", "--output", "o.npy"],
    ["--dimension", "4", "--draws", "-3", "--output", "o.npy"], ["", "--output", "o.npy"],
    ["--dimension", "4", "-k", "-1", "--output", "o.npy"], ["--dimension", "-4", "--output", "o.npy"],
    ["points.npy", "--seed", "1", "--output", "o.npy"], ["points.npy", "--dimension", "3", "--output", "o.npy"],
    ["--dimension", "1000000", "--draws", "1000000", "--output", "o.npy"], ["points.npy", "--output", "points.npy"],
    ["model#points", "--output", "model"],
  ])
  func wrongCalls(arguments: [String]) async throws {
    _ = try files.folder.file("model", try #require(files.bytes("model.safetensors")))
    let before = files.folder.names
    let run = try await Weft.run(["hubs", "--device", "cpu"] + arguments, directory: files.folder.path)
    #expect(run.status == 64 && run.output.isEmpty && files.folder.names == before)
    #expect(run.complaints.filter { $0.hasPrefix("Error: ") }.count == 1, "\(run.errorText)")
    #expect(!run.errorText.contains("Missing value"), "\(run.errorText)")
    #expect(files.bytes("model") == files.bytes("model.safetensors"))
    #expect(try files.array("points.npy").values == VectorFiles.points)
  }
}
