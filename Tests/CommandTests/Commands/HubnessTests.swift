import Foundation
import ModelFiles
import Testing

/// `weft hubness`: the report, the numbers, the plot, and what it refuses.
@Suite struct HubnessTests {
  private let files: VectorFiles

  init() throws { files = try VectorFiles() }

  private func hubness(_ arguments: String...) async throws -> CommandRun {
    try await Weft.run(["hubness", "--device", "cpu"] + arguments, directory: files.folder.path)
  }

  /// One in the middle of five: all have it, and it has the first.
  @Test func theMiddleIsTheHub() async throws {
    let run = try await hubness("star.npy", "-k", "1", "--json")
    #expect(run.status == 0 && run.errorText.isEmpty && run.lines.count == 1, "\(run.errorText)")
    let report = try run.object()
    #expect(try report.string("vectors") == "star.npy" && report.string("metric") == "euclidean")
    #expect(try [report.integer("count"), report.integer("dimension"), report.integer("k")] == [6, 2, 1])
    // N is 1, 0, 0, 0, 0 for the tips and 5 for the middle.
    let measures = try report.object("hubness")
    #expect(try measures.integers("histogram") == [4, 1, 0, 0, 0, 1])
    #expect(try measures.number("antihub_share") == 4.0 / 6)
    #expect(try measures.number("hub_share") == 1.0 / 6 && measures.integer("hub_count") == 1)
    #expect(try measures.number("hub_occurrence") == 5.0 / 6 && measures.number("largest_share") == 5.0 / 6)
    #expect(try measures.number("robin_hood") == 4.0 / 6)
    #expect(try measures.integer("largest") == 5)
    // Third moment over the variance's power: deviations -1 four times, 0, and 4, over 6.
    #expect(abs(try measures.number("skewness") - 10 / pow(20.0 / 6, 1.5)) < 1e-12)
    let hubs = try measures.objects("hubs")
    #expect(try hubs.prefix(2).map { try $0.integer("index") } == [5, 0])
    #expect(try hubs.prefix(2).map { try $0.integer("count") } == [5, 1])
    #expect(report.members["reduced"] == nil)
  }

  @Test func theReportIsReadable() async throws {
    let run = try await hubness("star.npy", "-k", "1")
    #expect(run.status == 0 && run.errorText.isEmpty, "\(run.errorText)")
    #expect(run.text.hasPrefix("star.npy: 6 vectors of dimension 2, 1 neighbour each, metric euclidean\n"))
    func row(_ title: String) -> String? { run.lines.first { $0.contains(title) } }
    #expect(row("Robin Hood index")?.hasSuffix("0.667") == true)
    #expect(row("antihubs, N = 0")?.hasSuffix("66.67 %") == true)
    #expect(row("greatest N")?.hasSuffix("5") == true)
    #expect(row("greatest hubs")?.contains("5 (N 5), 0 (N 1)") == true)
    #expect(run.lines.allSatisfy { $0.count <= 100 })
  }

  /// The same vectors as a tensor, and as other types.
  @Test func sourcesAgree() async throws {
    let expected = try await hubness("points.npy", "-k", "4", "--json").object().object("hubness")
    for name in ["model.safetensors#points", "model.safetensors#double", "doubles.npy"] {
      let run = try await hubness(name, "-k", "4", "--json")
      #expect(run.status == 0, "\(run.errorText)")
      let found = try run.object().object("hubness")
      #expect(try found.integers("histogram") == expected.integers("histogram"), "\(name)")
      #expect(
        run.errorText == (name.contains("double") ? "\(name): float64, rounded to float32\n" : ""), "\(run.errorText)")
    }
  }

  static let reductions: [(String, [String])] = [
    ("local-scaling", ["euclidean", "squared-euclidean", "cosine"]), ("nicdm", ["euclidean", "cosine"]),
    ("mutual-proximity", ["euclidean", "cosine"]), ("mutual-proximity-empiric", ["euclidean", "cosine"]),
    ("dis-sim-local", ["euclidean"]), ("csls", ["cosine"]),
  ]

  @Test(arguments: reductions) func reductionsAreShownBesides(reduction: String, metrics: [String]) async throws {
    for metric in metrics {
      let arguments = ["points.npy", "-k", "5", "--metric", metric, "--reduce", reduction]
      let run = try await Weft.run(
        ["hubness", "--device", "cpu", "--json"] + arguments, directory: files.folder.path)
      #expect(run.status == 0, "\(run.errorText)")
      let report = try run.object()
      #expect(try report.string("reduction") == reduction && report.integer("candidates") == 59)
      for kind in ["hubness", "reduced"] {
        let histogram = try report.object(kind).integers("histogram")
        #expect(histogram.reduce(0, +) == 60)
        // Σ N = n k.
        #expect(histogram.enumerated().reduce(0) { $0 + $1.offset * $1.element } == 300)
      }
      let text = try await Weft.run(["hubness", "--device", "cpu"] + arguments, directory: files.folder.path)
      #expect(text.status == 0 && text.text.contains("greatest hubs, \(reduction)"), "\(text.errorText)")
    }
  }

  @Test(arguments: ["euclidean", "squared-euclidean", "cosine", "inner-product"])
  func everyMetric(metric: String) async throws {
    let run = try await hubness("points.npy", "--metric", metric, "--json")
    #expect(try run.status == 0 && run.object().string("metric") == metric, "\(run.errorText)")
  }

  @Test func fewerCandidatesThanWanted() async throws {
    let run = try await hubness("points.npy", "-k", "5", "--reduce", "nicdm", "--candidates", "100", "--json")
    #expect(run.status == 0 && run.errorText.contains("each of 60 vectors has 59 others"), "\(run.errorText)")
    #expect(try run.object().integer("candidates") == 59)
  }

  @Test func plotsAreVectorGraphics() async throws {
    for more in [[], ["--reduce", "nicdm"]] {
      let run = try await Weft.run(
        ["hubness", "--device", "cpu", "star.npy", "-k", "2", "--plot", "plot.svg"] + more,
        directory: files.folder.path)
      #expect(run.status == 0 && !run.output.isEmpty, "\(run.errorText)")
      let plot = try #require(files.folder.contents(of: "plot.svg"))
      #expect(plot.hasPrefix("<svg") && plot.contains("Robin Hood") && plot.contains("star.npy, euclidean"))
      #expect(plot.contains("N, nicdm") == !more.isEmpty)
    }
  }

  @Test func readersMayLeave() async throws {
    let run = try await Weft.shell(
      #"{ "$WEFT" hubness --device cpu points.npy --plot plot.svg; echo "status $?" >&2; } | true"#,
      directory: files.folder.path)
    #expect(run.errorText == "status 0\n")
    #expect(files.folder.names.contains("plot.svg"))
  }

  /// One line, status 1, and neither output nor file.
  @Test func vectorsThatCannotBeUsed() async throws {
    try files.write("nan.npy", [1, 2, .nan, 4], [2, 2])
    try files.write("infinite.npy", [1, 2, 3, -.infinity], [2, 2])
    try files.write("zero.npy", [1, 2, 0, 0, 3, 4], [3, 2])
    try files.write("cube.npy", [Float](repeating: 1, count: 8), [2, 2, 2])
    try files.write("line.npy", [1, 2, 3], [3])
    try files.write("empty.npy", [], [0, 4])
    _ = try files.folder.file("text.npy", "text".utf8)
    let before = files.folder.names
    let faults: [([String], String)] = [
      (["nan.npy", "-k", "1"], "nan.npy: vector 1 has nan at 0"),
      (["infinite.npy", "-k", "1"], "infinite.npy: vector 1 has -inf at 1"),
      (["zero.npy", "-k", "1", "--metric", "cosine"], "zero.npy: vector 1 is all zeros and has no direction"),
      (["star.npy", "-k", "6"], "star.npy: k is 6, and each of 6 vectors has only 5 others"),
      (["star.npy"], "k is 10, and each of 6"), (["star.npy", "-k", "1025"], "k is 1025, and each of 6"),
      (["cube.npy"], "shape (2, 2, 2)"), (["line.npy"], "shape (3,)"),
      (["empty.npy"], "holds no numbers"), (["text.npy"], "text.npy"), (["none.npy"], "none.npy"), (["."], "."),
      (["model.safetensors"], "which of its tensors?"), (["model.safetensors#cube"], "cube"),
      (["model.safetensors#ids"], "I32"), (["model.safetensors#none"], "none"),
      (["none.safetensors#points"], "none.safetensors"),
      (["points.npy", "--plot", "/no/such/folder/plot.svg"], "/no/such/folder/plot.svg"),
    ]
    for (arguments, says) in faults {
      let run = try await Weft.run(["hubness", "--device", "cpu"] + arguments, directory: files.folder.path)
      #expect(run.status == 1 && run.output.isEmpty, "\(arguments)")
      #expect(run.complaints.count == 1 && run.errorText.contains(says), "\(arguments): \(run.errorText)")
      #expect(files.folder.names == before, "\(arguments)")
    }
    // The report is not lost with the plot.
    let noPlot = try await hubness("points.npy", "--plot", "/dev/full")
    #expect(noPlot.status == 1 && noPlot.complaints == ["Error: cannot write /dev/full: No space left on device"])
    #expect(noPlot.text.contains("Robin Hood index"))
    let full = try await Weft.shell(
      #""$WEFT" hubness --device cpu points.npy > /dev/full"#, directory: files.folder.path)
    #expect(full.status == 1 && full.complaints.count == 1 && full.errorText.contains("No space left"))
  }

  @Test(arguments: [
    [], ["points.npy", "-k", "0"], ["points.npy", "--metric", "manhattan"],
    ["points.npy", "--reduce", "magic"], ["points.npy", "--reduce", "csls"], ["points.npy", "--candidates", "20"],
    ["points.npy", "--reduce", "nicdm", "--candidates", "4"], ["points.npy", "--plot", "plot.png"],
    ["points.npy", "--metric", "inner-product", "--reduce", "nicdm"], ["points.npy", "--plot", "points.npy"],
    [""], ["#points"], ["points.npy", "-k", "-1"], ["points.npy", "--reduce", "nicdm", "--candidates", "-5"],
    ["points", "--plot", "points"], ["model#points", "--plot", "model"],
  ])
  func wrongCalls(arguments: [String]) async throws {
    for (copy, original) in [("points", "points.npy"), ("model", "model.safetensors")] {
      _ = try files.folder.file(copy, try #require(files.bytes(original)))
    }
    let run = try await Weft.run(["hubness", "--device", "cpu"] + arguments, directory: files.folder.path)
    #expect(run.status == 64 && run.output.isEmpty)
    #expect(run.complaints.filter { $0.hasPrefix("Error: ") }.count == 1, "\(run.errorText)")
    #expect(arguments.isEmpty || !run.errorText.contains("Missing"), "\(run.errorText)")
    #expect(
      files.bytes("points") == files.bytes("points.npy") && files.bytes("model") == files.bytes("model.safetensors"))
  }
}

/// A file that someone cuts short or writes to while it is searched.
@Suite struct ChangingVectorsCommandTests {
  @Test(arguments: [
    "truncate -s 1000 v.npy", "printf '\\0\\0\\300\\177' | dd of=v.npy bs=1 seek=4000 conv=notrunc 2>/dev/null",
  ])
  func theSearchEndsWithOneLine(change: String) async throws {
    let folder = try TemporaryFolder()
    let values = (0..<16_000 * 8).map { (index: Int) -> Float in Float((index &* index &* 37 &+ index &* 11) % 10_007) }
    _ = try folder.file("v.npy", NumPyWriter.file(values, shape: [16_000, 8]))
    let run = try await Weft.shell(
      "\"$WEFT\" hubness v.npy -k 3 --device cpu & pid=$!; sleep 1; \(change); wait $pid", directory: folder.path)
    #expect(run.status == 1, "\(run.status): \(run.errorText)")
    #expect(run.complaints.count == 1 && run.errorText.contains("v.npy: "), "\(run.errorText)")
    #expect(
      ["while it was read", "cut short", "where a finite number is expected"].contains { run.errorText.contains($0) })
  }
}
