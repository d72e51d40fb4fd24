import Foundation
import ModelFiles
import Testing

@testable import WeftCommand

@Suite struct QualityTests {
  private let files: SampleFiles

  init() throws { files = try SampleFiles() }

  private func quality(_ arguments: String...) async throws -> CommandRun {
    try await Weft.run(["quality", "--device", "cpu"] + arguments, directory: files.folder.path)
  }

  @Test func aSetIsLikeItself() async throws {
    let run = try await quality("ring.npy", "--reference", "ring.npy", "--json")
    #expect(run.status == 0 && run.errorText.isEmpty, "\(run.errorText)")
    let report = try run.object()
    #expect(try report.number("precision") == 1 && report.number("recall") == 1)
    #expect(try abs(report.number("frechet_distance")) < 1e-9)
    #expect(try report.number("count") == 12 && report.number("elements") == 2 && report.number("k") == 3)
  }

  @Test func aMovedSetIsFar() async throws {
    try files.write("moved.npy", SampleFiles.ring.map { $0 + 100 }, [12, 2])
    let run = try await quality("moved.npy", "--reference", "ring.npy")
    #expect(run.status == 0, "\(run.errorText)")
    #expect(run.lines[0] == "moved.npy: 12 samples of 2 numbers, against 12 of ring.npy")
    #expect(run.text.contains("Fréchet distance  20000  means 2e+04"), "\(run.text)")
    #expect(run.text.contains("precision         0.0000  0 of 12"))
    #expect(run.text.contains("recall            0.0000  0 of 12"))
  }

  @Test func imagesAreBroughtToTheSamplesSizeAndUnits() async throws {
    let images = SampleFiles.images
    let small = Normalization(.range, of: images, elements: 12).apply(images)
    try files.write("large.npy", BilinearResize(from: (3, 4), to: (7, 9)).apply(small), [5, 1, 7, 9])
    try files.write("planes.npy", images, [5, 1, 3, 4])
    let run = try await quality("large.npy", "--reference", "planes.npy", "--resize", "--range", "-1,1", "--json")
    #expect(run.status == 0, "\(run.errorText)")
    // Five samples of 63 numbers.
    #expect(run.errorText.contains("singular") && !run.errorText.contains("units"), "\(run.errorText)")
    #expect(try run.object().number("precision") == 1)
    #expect(try run.object().number("elements") == 63)
  }

  @Test func otherUnitsAreRemarkedOn() async throws {
    try files.write("small.npy", SampleFiles.ring.map { $0 / 50 }, [12, 2])
    let run = try await quality("small.npy", "--reference", "ring.npy")
    #expect(run.status == 0 && run.errorText.contains("are these the same units?"), "\(run.errorText)")
  }

  /// A tensor is looked at as closely as an array is.
  @Test func numbersThatAreNone() async throws {
    for (name, bad) in [("nan", Float.nan), ("infinite", Float.infinity)] {
      let values = [1, 2, 3, bad] + [Float](repeating: 0, count: 20)
      var file = SafetensorsWriter()
      file.add("x", floats: values, shape: [12, 2])
      try file.write(to: files.folder.path + "/\(name).safetensors")
      for arguments in [
        ["\(name).safetensors#x", "--reference", "ring.npy"], ["ring.npy", "--reference", "\(name).safetensors#x"],
        ["ring.npy", "--reference", "\(name).safetensors#x", "--range", "0,1"],
      ] {
        let run = try await Weft.run(["quality", "--device", "cpu"] + arguments, directory: files.folder.path)
        #expect(run.status == 1 && run.text.isEmpty)
        #expect(run.errorText.contains("sample 1 has \(bad) at 1"), "\(run.errorText)")
      }
    }
  }

  @Test func theDigitsComeWithIt() async throws {
    let digits = try await Weft.run(
      ["quality", "DIGITS", "--reference", "digits", "--json"], directory: files.folder.path)
    #expect(digits.status == 0, "\(digits.errorText)")
    #expect(try digits.object().number("count") == 1797 && digits.object().number("recall") == 1)
  }

  static let faults: [(arguments: [String], words: [String])] = [
    (["none.npy", "--reference", "ring.npy"], ["none.npy", "No such file"]),
    (["images.npy", "--reference", "ring.npy"], ["shape [3, 4]", "of [2]", "--resize"]),
    (["images.npy", "--reference", "ring.npy", "--resize"], ["cannot be resized"]),
    (["ring.npy", "--reference", "ring.npy", "-k", "12"], ["holds 12 samples", "a smaller -k"]),
    (["line.npy", "--reference", "ring.npy"], ["shape [3]", "[samples, …]"]),
    (["broken.npy", "--reference", "ring.npy"], ["broken.npy", "nan", "a finite number is expected"]),
  ]

  @Test(arguments: faults.indices) func faultsAreOneLine(index: Int) async throws {
    try files.write("line.npy", [1, 2, 3], [3])
    try files.write("broken.npy", SampleFiles.ring.map { $0 == SampleFiles.ring[7] ? .nan : $0 }, [12, 2])
    let fault = Self.faults[index]
    let run = try await Weft.run(["quality", "--device", "cpu"] + fault.arguments, directory: files.folder.path)
    #expect(run.status == 1 && run.output.isEmpty && run.complaints.count == 1, "\(run.errorText)")
    for word in fault.words { #expect(run.errorText.contains(word), "\(run.errorText)") }
  }

  @Test func callsThatCannotWork() async throws {
    #expect(try await quality("ring.npy").status == 64)
    for wrong in [["-k", "0"], ["-k", "-2"], ["--range", "1"], ["--range", "1,0"], ["--range", "0,nan"]] {
      let run = try await Weft.run(["quality", "ring.npy", "--reference", "ring.npy"] + wrong)
      #expect(run.status == 64 && run.errorText.contains(wrong[0].dropFirst(wrong[0].hasPrefix("--") ? 2 : 1)))
    }
  }
}

@Suite struct BilinearResizeTests {
  /// As torch's interpolate of [[0, 1], [2, 3]] (bilinear, align_corners False): quarters between middles, edges go on.
  @Test func twiceTheSize() {
    let large = BilinearResize(from: (2, 2), to: (4, 4)).apply([0, 1, 2, 3])
    #expect(
      large == [
        0, 0.25, 0.75, 1, 0.5, 0.75, 1.25, 1.5, 1.5, 1.75, 2.25, 2.5, 2, 2.25, 2.75, 3,
      ])
  }

  @Test func otherSizes() {
    // Middles of three pixels from five: at 1/3, 2 and 11/3 of the source.
    let third = BilinearResize(from: (1, 5), to: (1, 3)).apply([0, 3, 6, 9, 12])
    #expect(zip(third, [1, 6, 11]).allSatisfy { abs($0.0 - $0.1) < 1e-5 })
    #expect(
      BilinearResize(from: (1, 1), to: (2, 3)).apply([5, 7]) == [Float](repeating: 5, count: 6)
        + [Float](repeating: 7, count: 6))
    let same: [Float] = [1, 2, 3, 4, 5, 6]
    #expect(BilinearResize(from: (2, 3), to: (2, 3)).apply(same) == same)
  }
}
