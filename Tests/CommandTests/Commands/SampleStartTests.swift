import Foundation
import ModelFiles
import Testing

/// What samples of `weft sample` begin with and keep, and Γ.
@Suite struct SampleStartTests {
  private let files: SampleFiles

  init() throws { files = try SampleFiles() }

  private func images(_ index: Int) -> [Float] { Array(SampleFiles.images[index * 12..<(index + 1) * 12]) }

  @Test func aStartInTheDatasUnitsIsKeptWhereLittleIsGivenUp() async throws {
    try files.write("start.npy", images(3), [3, 4])
    let run = try await files.sample(
      "--data", "images.npy", "--start", "start.npy", "--strength", "0.1", "--steps", "20", "--count", "4", "--array",
      "out.npy")
    #expect(run.status == 0, "\(run.errorText)")
    let samples = try files.array("out.npy").values
    for sample in 0..<4 {
      let values = samples[sample * 12..<(sample + 1) * 12]
      #expect(zip(values, images(3)).allSatisfy { abs($0 - $1) < 1 })
    }
  }

  @Test func aStepThatIsThereIsTaken() async throws {
    try files.write("start.npy", images(3), [3, 4])
    let common = ["sample", "--device", "cpu", "--data", "images.npy", "--start", "start.npy", "--array", "out.npy"]
    let exact = common + ["--steps", "49", "--strength", "0.02040816326530612"]
    let run = try await Weft.run(exact, directory: files.folder.path)
    #expect(run.status == 0, "\(run.errorText)")
    let single = try await Weft.run(common + ["--steps", "1"], directory: files.folder.path)
    #expect(single.status == 64 && single.complaints.count == 1)
    #expect(single.errorText.contains("--start") && !single.errorText.contains("0.8"))
    let whole = try await Weft.run(common + ["--steps", "1", "--strength", "1"], directory: files.folder.path)
    #expect(whole.status == 0, "\(whole.errorText)")
  }

  @Test func knownPartsStay() async throws {
    try files.write("known.npy", images(1), [3, 4])
    try files.write("mask.npy", [1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0], [3, 4])
    let run = try await files.sample(
      "--data", "images.npy", "--known", "known.npy", "--mask", "mask.npy", "--sampler", "ddpm", "--steps", "50",
      "--count", "3", "--array", "out.npy")
    #expect(run.status == 0, "\(run.errorText)")
    let samples = try files.array("out.npy").values
    for sample in 0..<3 {
      for element in 4..<12 { #expect(abs(samples[sample * 12 + element] - images(1)[element]) < 1e-3) }
    }
  }

  @Test func masksOfGreyImagesWithAChannelMayBePlanes() async throws {
    try files.write("grey.npy", SampleFiles.images, [5, 1, 3, 4])
    try files.write("known.npy", images(1), [1, 3, 4])
    try files.write("mask.npy", [1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0], [3, 4])
    let run = try await files.sample(
      "--data", "grey.npy", "--known", "known.npy", "--mask", "mask.npy", "--count", "2", "--array", "out.npy")
    #expect(run.status == 0, "\(run.errorText)")
    let samples = try files.array("out.npy").values
    for sample in 0..<2 {
      for element in 4..<12 { #expect(abs(samples[sample * 12 + element] - images(1)[element]) < 1e-3) }
    }
  }

  @Test func masksOfColourImagesMayHaveOneChannel() async throws {
    try files.write("colour.npy", (0..<96).map { Float($0 % 7) }, [2, 3, 4, 4])
    try files.write("known.npy", (0..<48).map { Float($0 % 7) }, [1, 3, 4, 4])
    try files.write("type", type: "|b1", shape: "(4, 4)", bytes: 16)
    let run = try await files.sample(
      "--data", "colour.npy", "--known", "known.npy", "--mask", "type", "--count", "2", "--array", "out.npy")
    #expect(run.status == 0, "\(run.errorText)")
  }

  @Test func interpolationEndsAtTheSeeds() async throws {
    for (name, arguments) in [
      ("way.npy", ["--interpolate", "3,4", "--count", "5"]), ("ends.npy", ["--seeds", "3,4"]),
    ] {
      let run = try await Weft.run(
        ["sample", "--device", "cpu", "--data", "ring.npy", "--steps", "9", "--array", name] + arguments,
        directory: files.folder.path)
      #expect(run.status == 0, "\(run.errorText)")
    }
    let (way, ends) = (try files.array("way.npy").values, try files.array("ends.npy").values)
    #expect(zip(way.prefix(2) + way.suffix(2), ends).allSatisfy { abs($0 - $1) < 1e-3 })
  }

  @Test func gammaIsEstimatedKeptAndReadAgain() async throws {
    let common = ["--data", "images.npy", "--sampler", "analytic-ddpm", "--steps", "5", "--count", "3"]
    func draw(_ arguments: String...) async throws -> CommandRun {
      try await Weft.run(
        ["sample", "--device", "cpu"] + common + arguments, directory: files.folder.path)
    }
    let estimated = try await draw("--array", "a.npy", "--save-gamma", "gamma.json")
    #expect(estimated.status == 0, "\(estimated.errorText)")
    let read = try await draw("--array", "b.npy", "--gamma", "gamma.json")
    #expect(read.status == 0 && files.bytes("a.npy") == files.bytes("b.npy"))
    let capped = try await draw("--array", "e.npy", "--gamma", "gamma.json", "--noise-cap", "1")
    #expect(capped.status == 0 && files.bytes("e.npy") != files.bytes("a.npy"), "\(capped.errorText)")
    let loose = try await draw("--array", "f.npy", "--gamma", "gamma.json", "--noise-cap", "255")
    #expect(loose.status == 0 && files.bytes("f.npy") == files.bytes("a.npy"))
    let plan = try await Weft.run(
      ["schedule", "--sampler", "analytic-ddpm", "--steps", "5", "--gamma", "gamma.json", "--json"],
      directory: files.folder.path)
    #expect(plan.status == 0)
    #expect(files.folder.contents(of: "gamma.json")?.contains("\"version\": 2") == true)
    // Tables from before levels were kept are read by their times.
    let old = #"{"format": "weft-gamma", "version": 1, "entries": [[0,0.1],[250,0.5],[499,0.8],[749,0.9],[999,1]]}"#
    _ = try files.folder.file("old.json", old.utf8)
    let times = try await draw("--array", "c.npy", "--gamma", "old.json")
    #expect(times.status == 0, "\(times.errorText)")
    let rounded = try await draw("--array", "d.npy", "--spacing", "karras", "--steps", "100")
    #expect(rounded.status == 0, "\(rounded.errorText)")
    // A table for other timesteps does not do.
    let other = try await Weft.run(
      ["schedule", "--sampler", "analytic-ddpm", "--steps", "6", "--gamma", "gamma.json"],
      directory: files.folder.path)
    #expect(other.status == 1 && other.complaints.count == 1)
  }
}
