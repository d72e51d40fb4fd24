import Foundation
import ModelFiles
import Testing
import Weft

/// `weft sample`: what it writes, and that it is always the same.
@Suite struct SampleTests {
  private let files: SampleFiles

  init() throws { files = try SampleFiles() }

  /// How far the farthest sample is from its nearest point of data.
  private func distance(_ samples: NumPyArray, to data: [Float], elements: Int) -> Float {
    stride(from: 0, to: samples.values.count, by: elements).map { start in
      stride(from: 0, to: data.count, by: elements).map { point in
        (0..<elements).map { abs(samples.values[start + $0] - data[point + $0]) }.max() ?? .infinity
      }.min() ?? .infinity
    }.max() ?? .infinity
  }

  @Test func pointsComeBackInTheDatasUnits() async throws {
    let run = try await files.sample(
      "--data", "ring.npy", "--spacing", "karras", "--count", "20", "--array", "out.npy", "--output", "out.svg")
    #expect(run.status == 0 && run.output.isEmpty && run.errorText.isEmpty)
    let samples = try files.array("out.npy")
    #expect(samples.shape == [20, 2])
    #expect(distance(samples, to: SampleFiles.ring, elements: 2) < 1e-3)
    // A disc for each sample and each point of data, and two in the legend.
    let plot = try #require(files.folder.contents(of: "out.svg"))
    #expect(plot.hasPrefix("<svg ") && plot.components(separatedBy: "<circle ").count - 1 == 20 + 12 + 2)
    #expect(files.folder.names == ["images.npy", "out.npy", "out.svg", "ring.npy"])
  }

  @Test(arguments: ["ddim", "ddpm", "heun", "unipc-2", "flow-euler", "euler-ancestral"])
  func imagesComeBackInTheDatasUnits(sampler: String) async throws {
    let run = try await files.sample(
      "--data", "images.npy", "--sampler", sampler, "--steps", "40", "--count", "6", "--array", "out.npy", "--output",
      "out.png")
    #expect(run.status == 0 && run.errorText.isEmpty)
    let samples = try files.array("out.npy")
    #expect(samples.shape == [6, 3, 4])
    #expect(distance(samples, to: SampleFiles.images, elements: 12) < 0.5)
    // 3 columns and 2 rows of cells of 48 × 36 pixels.
    #expect(files.pictureSize("out.png") == [3 * 48 + 2 * 4 + 16, 2 * 36 + 4 + 16])
  }

  @Test func colourImagesHaveThreeChannels() async throws {
    try files.write("colour.npy", (0..<96).map { Float($0 % 7) }, [2, 3, 4, 4])
    let run = try await files.sample(
      "--data", "colour.npy", "--count", "3", "--array", "out.npy", "--output", "out.png")
    #expect(run.status == 0)
    #expect(try files.array("out.npy").shape == [3, 3, 4, 4])
    #expect(files.pictureSize("out.png") != nil)
  }

  @Test func digitsComeWithTheProgram() async throws {
    let run = try await files.sample("--data", "Digits", "--steps", "3", "--count", "2", "--array", "out.npy")
    #expect(run.status == 0)
    let samples = try files.array("out.npy")
    #expect(samples.shape == [2, 8, 8])
    #expect(samples.values.allSatisfy { $0 > -1 && $0 < 17 })
  }

  @Test(arguments: ["range", "unit", "none"])
  func constantDataAreDrawnAsTheyAre(normalize: String) async throws {
    try files.write("points.npy", [Float](repeating: 3.25, count: 8), [4, 2])
    try files.write("grey.npy", [Float](repeating: 3.25, count: 8), [2, 2, 2])
    for (data, picture) in [("points.npy", "o.svg"), ("grey.npy", "o.png")] {
      let run = try await files.sample(
        "--data", data, "--normalize", normalize, "--no-clip", "--count", "2", "--array", "out.npy", "--output", picture
      )
      #expect(run.status == 0, "\(run.errorText)")
      #expect(try files.array("out.npy").values.allSatisfy { abs($0 - 3.25) < 1e-4 })
    }
  }

  /// The optimal variance of data that do not lie in -1 … 1, as they are: limited by their own range.
  @Test(.enabled(if: Places.hasDevice, "needs an OpenCL device"))
  func theOptimalVarianceIsThatOfTheData() async throws {
    // Evenly in -7 … 7.
    let data = (0..<281).map { Float($0 - 140) / 20 }
    try files.write("even.npy", data, [281, 1])
    let run = try await Weft.run(
      [
        "sample", "--data", "even.npy", "--normalize", "none", "--sampler", "analytic-ddpm", "--steps", "10", "--count",
        "2000", "--save-gamma", "g.json", "--array", "out.npy",
      ], directory: files.folder.path)
    #expect(run.status == 0, "\(run.errorText)")
    let samples = try files.array("out.npy").values.map(Double.init)
    let variance = samples.reduce(0) { $0 + $1 * $1 } / Double(samples.count)
    #expect(abs(variance / 16.45 - 1) < 0.1, "\(variance)")
    #expect(files.folder.contents(of: "g.json")?.contains("\"data_range\": [-7.0, 7.0]") == true)
  }

  @Test func highDimensionsHaveArraysButNoPictures() async throws {
    try files.write("points.npy", (0..<15).map(Float.init), [3, 5])
    let run = try await files.sample("--data", "points.npy", "--count", "2", "--array", "out.npy")
    #expect(run.status == 0)
    #expect(try files.array("out.npy").shape == [2, 5])
    let picture = try await files.sample("--data", "points.npy", "--output", "out.svg")
    #expect(picture.status == 64 && picture.complaints.count == 1 && picture.errorText.contains("--array"))
    #expect(files.bytes("out.svg") == nil)
  }

  @Test(arguments: ["ddpm", "dpm-solver-2m", "predictor-corrector"])
  func aSampleIsTheSameInEveryCompany(sampler: String) async throws {
    func draw(_ name: String, _ arguments: String...) async throws -> [Float] {
      let run = try await Weft.run(
        ["sample", "--device", "cpu", "--data", "ring.npy", "--sampler", sampler, "--steps", "6", "--array", name]
          + arguments, directory: files.folder.path)
      #expect(run.status == 0)
      return try files.array(name).values
    }
    let nine = try await draw("a.npy", "--count", "9", "--seed", "7")
    let again = try await draw("b.npy", "--count", "9", "--seed", "7")
    let five = try await draw("c.npy", "--count", "5", "--seed", "7", "--batch", "2")
    let other = try await draw("d.npy", "--count", "9", "--seed", "8")
    #expect(again == nine && files.bytes("a.npy") == files.bytes("b.npy"))
    #expect(five == Array(nine.prefix(10)))
    #expect(other != nine)
    let seeds = try await draw("e.npy", "--seeds", "8,7,8")
    #expect(Array(seeds[0..<2]) == Array(other[0..<2]) && Array(seeds[2..<4]) == Array(nine[0..<2]))
    #expect(seeds[4...] == seeds[0..<2])
  }

  @Test func picturesAreTheSameBytes() async throws {
    for (data, names) in [("images.npy", ["a.png", "b.png"]), ("ring.npy", ["a.svg", "b.svg"])] {
      for name in names {
        let run = try await files.sample("--data", data, "--count", "4", "--seed", "3", "--output", name)
        #expect(run.status == 0)
      }
      #expect(files.bytes(names[0]) != nil && files.bytes(names[0]) == files.bytes(names[1]))
    }
  }

  @Test func trajectoriesAreRowsOfMoments() async throws {
    let run = try await files.sample(
      "--data", "images.npy", "--count", "11", "--batch", "3", "--steps", "20", "--output", "strip.png", "--trajectory",
      "--array", "out.npy")
    #expect(run.status == 0, "\(run.errorText)")
    // The noise, and ten moments after it.
    #expect(files.pictureSize("strip.png") == [11 * 48 + 10 * 4 + 16, 8 * 36 + 7 * 4 + 16])
    #expect(try files.array("out.npy").shape == [11, 3, 4])
    let paths = try await files.sample("--data", "ring.npy", "--output", "paths.svg", "--trajectory")
    #expect(paths.status == 0 && paths.errorText.isEmpty)
    let plot = try #require(files.folder.contents(of: "paths.svg"))
    #expect(plot.components(separatedBy: "<polyline ").count - 1 == 16 && plot.contains(">paths</text>"))
  }

  @Test func everySamplerHasALine() async throws {
    let run = try await Weft.run("sample", "--list")
    #expect(run.status == 0 && run.errorText.isEmpty)
    for name in SamplerName.allCases {
      let line = try #require(run.lines.first { $0.hasPrefix(name.rawValue + " ") }, "\(name.rawValue)")
      let cells = line.split(separator: " ").map(String.init)
      #expect(cells[1] == (name.description.order.map { "\($0)" } ?? "-"))
      #expect(cells[2] == "\(name.description.evaluationsPerStep)")
      #expect(line.hasSuffix(name.description.summary))
    }
  }

  @Test func theListSaysWhichOptionsDoSomething() async throws {
    let run = try await Weft.run("sample", "--list")
    let adaptive = try #require(run.lines.first { $0.hasPrefix("ode-rk45 ") })
    #expect(adaptive.contains("--tolerance"))
    for name in SamplerName.allCases {
      let line = try #require(run.lines.first { $0.hasPrefix(name.rawValue + " ") })
      #expect(line.contains("2 outputs") == name.traits.needsSecondHead)
    }
    let eta = try #require(run.lines.first { $0.hasPrefix("--eta ") })
    #expect(eta.hasSuffix("ddim, analytic-ddim, npr-ddim, sn-ddim, euler-ancestral"))
    let clip = try #require(run.lines.first { $0.hasPrefix("--clip") })
    #expect(clip.contains("all but lms, pndm, plms, euler-maruyama"))
    let help = try await Weft.run("sample", "--help")
    #expect(help.text.contains("sn-ddim, euler-ancestral"))
  }

  @Test(arguments: [("euler_a", "euler-ancestral"), ("DPMPP_2M", "dpm-solver-2m"), ("UniPC", "unipc-2")])
  func samplersByOtherNames(name: String, own: String) async throws {
    for (sampler, file) in [(name, "a.npy"), (own, "b.npy")] {
      let run = try await files.sample(
        "--data", "ring.npy", "--sampler", sampler, "--steps", "6", "--count", "3", "--array", file)
      #expect(run.status == 0, "\(run.errorText)")
    }
    #expect(files.bytes("a.npy") == files.bytes("b.npy"))
  }

  @Test(arguments: ["euler-maruyama", "reverse-diffusion", "predictor-corrector", "ode-heun"])
  func subPreservingNoiseHasItsSamplers(sampler: String) async throws {
    let run = try await files.sample(
      "--data", "ring.npy", "--sampler", sampler, "--schedule", "subvp", "--steps", "300", "--count", "6", "--array",
      "out.npy")
    #expect(run.status == 0 && run.errorText.isEmpty, "\(run.errorText)")
    #expect(distance(try files.array("out.npy"), to: SampleFiles.ring, elements: 2) < 0.5)
    let ancestral = try await files.sample(
      "--data", "ring.npy", "--sampler", "ancestral", "--schedule", "subvp", "--array", "none.npy")
    #expect(ancestral.status == 64 && ancestral.complaints.count == 1 && ancestral.errorText.contains("reverse"))
  }

  @Test(arguments: [[], ["--schedule", "ve"], ["--schedule", "subvp", "--tolerance", "1e-4"]])
  func theAdaptiveFlowEndsOnPoints(arguments: [String]) async throws {
    func draw(_ name: String, _ more: String...) async throws -> NumPyArray {
      let run = try await Weft.run(
        ["sample", "--device", "cpu", "--data", "ring.npy", "--sampler", "ode-rk45", "--array", name] + arguments
          + more,
        directory: files.folder.path)
      #expect(run.status == 0 && run.errorText.isEmpty, "\(run.errorText)")
      return try files.array(name)
    }
    let samples = try await draw("a.npy", "--count", "4", "--seed", "3")
    #expect(samples.shape == [4, 2])
    // What noise is left at the flow's end is a hundredth of the ring's deviation, 4 / √2.
    #expect(distance(samples, to: SampleFiles.ring, elements: 2) < 0.2)
    let part = try await draw("b.npy", "--count", "2", "--seed", "3", "--batch", "1")
    #expect(part.values == Array(samples.values.prefix(4)))
  }

  /// All that the exact denoiser can drive.
  @Test(arguments: SamplerName.allCases.filter { !$0.rawValue.hasPrefix("npr") && !$0.rawValue.hasPrefix("sn") })
  func everySamplerSamples(name: SamplerName) async throws {
    let run = try await files.sample(
      "--data", "ring.npy", "--sampler", name.rawValue, "--steps", "8", "--count", "3", "--array", "out.npy")
    #expect(run.status == 0 && run.errorText.isEmpty, "\(run.errorText)")
    #expect(try files.array("out.npy").values.allSatisfy { $0.isFinite && abs($0) < 100 })
  }

  @Test(.enabled(if: Places.hasDevice, "needs an OpenCL device"))
  func devicesAgreeWithTheReference() async throws {
    var results: [[Float]] = []
    for device in ["cpu", "opencl"] {
      let run = try await Weft.run(
        [
          "sample", "--device", device, "--data", "images.npy", "--sampler", "ddpm", "--steps", "10", "--count", "4",
          "--array", "\(device).npy",
        ], directory: files.folder.path)
      #expect(run.status == 0 && run.complaints.isEmpty)
      results.append(try files.array("\(device).npy").values)
    }
    #expect(zip(results[0], results[1]).allSatisfy { abs($0 - $1) < 0.05 })
  }
}
