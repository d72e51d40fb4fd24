import Foundation
import Testing

/// The commands about devices, and the demo.
@Suite struct DeviceTests {
  @Test func listSaysWhatAutomaticMeans() async throws {
    let run = try await Weft.run("devices")
    #expect(run.status == 0 && run.errorText.isEmpty)
    #expect(run.lines.contains { $0.hasPrefix("cpu ") })
    #expect(run.lines.last?.hasPrefix("auto: ") == true)
    #expect(run.text.contains("opencl:0") == Places.hasDevice)
  }

  @Test func listAsJSON() async throws {
    let run = try await Weft.run("devices", "--json")
    #expect(run.status == 0 && run.lines.count == 1)
    let report = try run.object()
    let automatic = try report.string("auto")
    #expect(try !report.string("reason").isEmpty)
    let devices = try report.objects("devices")
    for device in devices {
      for name in ["device", "name", "platform", "driver"] { #expect(try !device.string(name).isEmpty) }
      #expect(["cpu", "gpu", "accelerator"].contains(try device.string("type")))
      #expect(["cpu", "gpu"].contains(try device.string("variant")))
      #expect(try device.integer("compute_units") > 0 && device.integer("memory_bytes") > 0)
      #expect(device.members["usable"] is Bool)
    }
    #expect(try report.objects("platforms_without_devices").allSatisfy { try !$0.string("reason").isEmpty })
    let names = try devices.map { try $0.string("device") }
    #expect(names == devices.indices.map { "opencl:\($0)" })
    #expect(automatic == "cpu" || names.contains(automatic))
  }

  static let benches: [[String]] = [
    ["pairs", "--batch", "2", "--heads", "3", "--length", "70", "--head-size", "16"],
    ["pairs", "--head", "efficient", "--batch", "2", "--heads", "3", "--length", "70", "--head-size", "16"],
    ["encoder", "--batch", "1", "--length", "8"],
  ]

  @Test(arguments: benches)
  func benchReportsOnTheReference(bench: [String]) async throws {
    try await check(bench, device: "cpu")
  }

  @Test(.enabled(if: Places.hasDevice, "needs an OpenCL device"), arguments: benches)
  func benchReportsOnADevice(bench: [String]) async throws {
    try await check(bench, device: "opencl")
  }

  private func check(_ bench: [String], device: String) async throws {
    let run = try await Weft.run(
      ["bench"] + bench + ["--device", device, "--repetitions", "2", "--warmup", "1", "--json"])
    #expect(run.status == 0 && run.complaints.isEmpty)
    let report = try run.object()
    for name in ["median_seconds", "min_seconds", "max_seconds", "gflops"] {
      #expect(try report.number(name) > 0)
    }
    #expect(try report.number("min_seconds") <= report.number("median_seconds"))
    #expect(try report.number("median_seconds") <= report.number("max_seconds"))
    #expect(try report.integer("peak_bytes") > 0)
    #expect(try !report.string("device").isEmpty)
    #expect(try !report.string("variant").isEmpty)
  }

  @Test(arguments: Places.hasDevice ? ["cpu", "opencl"] : ["cpu"])
  func benchOfArgmaxableFindsWhatIsPlanted(device: String) async throws {
    let run = try await Weft.run(
      "bench", "argmaxable", "--classes", "300", "--dimension", "8", "--planted", "7", "--device", device, "--json")
    #expect(run.status == 0 && run.complaints.isEmpty)
    let report = try run.object()
    #expect(try report.integer("planted") == 7 && report.integer("planted_found") == 7)
    #expect(try report.integer("argmaxable") + report.integer("unargmaxable") == 300)
    #expect(try report.integer("proofs_held") == 300)
    let stages = ["duplicates", "vector", "centred_vector", "whitened_vector", "reflections", "linear_programs"]
    #expect(try stages.map { try report.integer("settled_by_" + $0) }.reduce(0, +) == 300)
    #expect(try stages.map { try report.number($0 + "_seconds") }.reduce(0, +) <= report.number("seconds"))
    #expect(try report.integer("settled_by_linear_programs") >= 7 && report.number("processor_seconds") > 0)
  }

  @Test func benchOfArgmaxableTakesALayer() async throws {
    let files = try LayerFiles()
    let run = try await Weft.run(
      ["bench", "argmaxable", "--device", "cpu", "--tensor", "square", "model.safetensors"],
      directory: files.folder.path)
    #expect(run.status == 0)
    #expect(run.lines.contains { $0.contains("unargmaxable") && $0.hasSuffix(" 1") } && !run.text.contains("planted"))
    for wrong in [["model.safetensors"], ["--tensor", "square"], ["--planted", "1900"], ["--classes", "1"]] {
      #expect(try await Weft.run(["bench", "argmaxable"] + wrong).status == 64)
    }
  }

  /// The counts are those of `Benchmarks/Peers/links.py` for the same inputs, with dense scores.
  static let linkBenches: [(options: String, spans: Int, relations: Int)] = [
    ("--head efficient --batch 4 --length 130 --predicates 7 --head-size 32 --density 0.0005", 61, 8),
    ("--head globalpointer --batch 3 --length 100 --predicates 5 --head-size 32 --density 0.0005", 30, 6),
  ]

  @Test(arguments: Places.hasDevice ? ["cpu", "opencl"] : ["cpu"], linkBenches.indices)
  func benchOfLinksFindsWhatDenseScoresDo(device: String, bench: Int) async throws {
    let expected = Self.linkBenches[bench]
    let options = expected.options.split(separator: " ").map(String.init)
    let run = try await Weft.run(
      ["bench", "links"] + options + ["--device", device, "--repetitions", "2", "--warmup", "0", "--json"])
    #expect(run.status == 0 && run.complaints.isEmpty)
    let report = try run.object()
    #expect(try report.integer("spans") == expected.spans)
    #expect(try report.integer("relations") == expected.relations)
    #expect(try report.integer("truncated_documents") == 0)
    #expect(try 0 < report.number("min_seconds") && report.number("min_seconds") <= report.number("median_seconds"))
    #expect(try report.number("median_seconds") <= report.number("max_seconds"))
    #expect(try report.number("documents_per_second") > 0)
    #expect(try report.integer("peak_bytes") > 0)
    #expect(try !report.string("device").isEmpty && !report.string("variant").isEmpty)
  }

  @Test func benchForPeople() async throws {
    let run = try await Weft.run(
      ["bench"] + Self.benches[0] + ["--device", "cpu", "--repetitions", "1", "--warmup", "0"])
    #expect(run.status == 0)
    for title in ["median", "GFLOP/s", "of the product rate", "peak device memory", "tiles"] {
      #expect(run.lines.contains { $0.hasPrefix(title) }, "\(title)")
    }
  }

  @Test(.enabled(if: Places.hasDevice, "needs an OpenCL device"))
  func demoShowsAndWritesEntitiesAndDigits() async throws {
    let folder = try TemporaryFolder()
    let run = try await Weft.run(["demo"], directory: folder.path)
    #expect(run.status == 0 && run.complaints.isEmpty)
    #expect(run.text.contains("Elizabeth") && run.text.contains("demo-entities.jsonl"))
    #expect(!run.text.contains("\u{1B}"), "no colours in a file")
    #expect(folder.names == ["demo-entities.jsonl", "weft-digits.png"])
    #expect(run.text.contains("64 digits") && run.text.contains("weft-digits.png"))
    let picture = FileManager.default.contents(atPath: folder.path + "/weft-digits.png")
    #expect(picture?.starts(with: [0x89, 0x50, 0x4E, 0x47]) == true)
    let lines = try #require(folder.contents(of: "demo-entities.jsonl")).split(separator: "\n")
    let entities = try lines.flatMap { try JSONObject(String($0)).objects("entities") }
    #expect(lines.count > 3 && entities.count > 20)
  }

  @Test(.enabled(if: Places.hasDevice, "needs an OpenCL device"))
  func demoReadsOnesOwnText() async throws {
    let folder = try TemporaryFolder()
    _ = try folder.file("own.txt", "Mr. Reed met his aunt in London.\n".utf8)
    let run = try await Weft.run(
      ["demo", "--text", "own.txt", "--output", "own.jsonl"],
      environment: ["CLICOLOR_FORCE": "1", "TERM": "xterm", "NO_COLOR": nil], directory: folder.path)
    #expect(run.status == 0)
    #expect(run.text.contains("\u{1B}["), "colours where they are asked for")
    #expect(run.text.contains("█"), "digits in shades where there are few colours")
    #expect(folder.contents(of: "own.jsonl")?.contains("\"London\"") == true)
  }
}
