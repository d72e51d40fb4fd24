import Foundation
import Testing

/// What the variables and the machine around the command change.
@Suite struct EnvironmentTests {
  private static let input = #"{"text":"Mr. Reed met his aunt in London."}"#
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func extract(
    _ arguments: String..., environment: [String: String?] = [:], directory: String? = nil
  ) async throws -> CommandRun {
    try await Weft.run(
      ["extract"] + arguments, input: Self.input, environment: environment, directory: directory)
  }

  @Test func modelsFolderThatIsNot() async throws {
    let run = try await extract(environment: ["WEFT_MODELS": "/no/such/folder"])
    #expect(run.status == 1 && run.output.isEmpty)
    #expect(run.complaints.count == 1)
    #expect(run.errorText.contains("/no/such/folder") && run.errorText.contains("WEFT_MODELS"))
  }

  @Test func modelsAreFoundFromAnywhere() async throws {
    let models = URL(filePath: Places.tinyModel).deletingLastPathComponent().path
    let named = try await extract("--device", "cpu", environment: ["WEFT_MODELS": models])
    let found = try await extract("--device", "cpu", directory: "/")
    #expect(named.status == 0 && found.status == 0)
    #expect(named.output == found.output && found.text.contains("London"))
  }

  @Test(.enabled(if: Places.hasDevice, "needs an OpenCL device"))
  func cacheIsAConvenience() async throws {
    let usual = try await extract()
    _ = try folder.file("file", Data())
    let settings: [[String: String?]] = [
      ["WEFT_CACHE": "off"],
      ["XDG_CACHE_HOME": folder.path + "/file"],  // no folder can be made below a file
      ["WEFT_CACHE": "always", "XDG_CACHE_HOME": folder.path + "/new"],
      ["WEFT_CACHE": "always", "XDG_CACHE_HOME": folder.path + "/new"],  // now from the cache
    ]
    for setting in settings {
      // The driver's own cache stays where it is.
      var environment = setting
      environment["POCL_CACHE_DIR"] = folder.path + "/driver"
      let run = try await extract(environment: environment)
      #expect(run.status == 0 && run.complaints.isEmpty)
      #expect(run.output == usual.output)
    }
    #expect(folder.names == ["driver", "file", "new"] || folder.names == ["file", "new"])
    let cached = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/new/weft")
    #expect(!cached.isEmpty)
  }

  @Test func withoutDriversTheReferenceStandsInAndSaysSo() async throws {
    let environment = ["OCL_ICD_VENDORS": folder.path, "OPENCL_VENDOR_PATH": folder.path]
    let reference = try await extract("--device", "cpu", environment: environment)
    let run = try await extract(environment: environment)
    #expect(reference.status == 0 && reference.errorText.isEmpty)
    #expect(run.status == 0 && run.output == reference.output)
    #expect(run.complaints.count == 1)
    #expect(run.errorText.contains("no usable OpenCL device") && run.errorText.contains("pocl"))

    let asked = try await extract("--device", "opencl", environment: environment)
    #expect(asked.status == 1 && asked.output.isEmpty)
    #expect(asked.complaints.count == 1)
    #expect(asked.errorText.contains("no device 'opencl'"))

    let list = try await Weft.run(["devices"], environment: environment)
    #expect(list.status == 0 && list.text.contains("auto: cpu"))
    let report = try await Weft.run(["devices", "--json"], environment: environment).object()
    #expect(try report.string("auto") == "cpu" && report.objects("devices").isEmpty)
  }

  @Test(.enabled(if: Places.hasDevice, "needs an OpenCL device"))
  func kernelThatFailsToBuildIsNamed() async throws {
    for kernel in ["pairwise/pack.cl", "network/layer_norm.cl"] {
      let copy = try TemporaryFolder()
      let kernels = copy.path + "/Kernels"
      try FileManager.default.copyItem(atPath: Places.root + "/Kernels", toPath: kernels)
      let file = "\(kernels)/\(kernel)"
      let source = try String(contentsOfFile: file, encoding: .utf8)
      try (source + "\n#error broken on purpose\n").write(
        toFile: file, atomically: true, encoding: .utf8)
      let run = try await extract(
        "--output", "out.jsonl", environment: ["WEFT_KERNELS": kernels], directory: folder.path)
      #expect(run.status == 1 && run.output.isEmpty)
      #expect(run.errorText.contains(kernel) && run.errorText.contains("broken on purpose"))
      #expect(folder.names.isEmpty)
    }
  }

  @Test(.enabled(if: Places.hasDevice, "needs an OpenCL device"))
  func kernelsThatAreMissingAreNamed() async throws {
    let run = try await extract(environment: ["WEFT_KERNELS": folder.path])
    #expect(run.status == 1)
    #expect(run.complaints.count == 1 && run.errorText.contains("kernel source"))
  }
}
