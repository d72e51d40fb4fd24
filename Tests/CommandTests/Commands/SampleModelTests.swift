import Foundation
import ModelFiles
import Testing

/// `weft sample --model` with the bundled network.
@Suite struct SampleModelTests {
  private static let model = Places.root + "/Models/digits-unet"
  private let files: SampleFiles

  init() throws { files = try SampleFiles() }

  private func sample(_ arguments: String...) async throws -> CommandRun { try await sample(arguments) }

  private func sample(_ arguments: [String]) async throws -> CommandRun {
    try await Weft.run(["sample"] + arguments, directory: files.folder.path)
  }

  /// A copy of the model that a test may change.
  private func copy() throws -> String {
    let path = files.folder.path + "/model"
    try FileManager.default.copyItem(atPath: Self.model, toPath: path)
    return path
  }

  private func change(_ file: String, _ changes: [String: Any]) throws {
    let data = try Data(contentsOf: URL(filePath: file))
    var fields = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    fields.merge(changes) { $1 }
    try JSONSerialization.data(withJSONObject: fields).write(to: URL(filePath: file))
  }

  @Test(.enabled(if: Places.hasDevice, "needs an OpenCL device")) func imagesGoFromZeroToOne() async throws {
    let run = try await sample(
      "--model", Self.model, "--steps", "4", "--count", "5", "--seed", "3", "--array", "a.npy", "--output", "a.png")
    #expect(run.status == 0 && run.complaints.isEmpty, "\(run.errorText)")
    let array = try files.array("a.npy")
    #expect(array.shape == [5, 1, 16, 16])
    #expect(array.values.allSatisfy { (0...1).contains($0) })
    #expect(try #require(files.pictureSize("a.png"))[0] > 16)
    // The same samples, whatever the batch is; and by its name the same model.
    let other = try await sample(
      "--model", "digits-unet", "--steps", "4", "--count", "3", "--seed", "3", "--batch", "2", "--array", "b.npy")
    #expect(other.status == 0, "\(other.errorText)")
    #expect(try files.array("b.npy").values == Array(array.values.prefix(3 * 256)))
  }

  @Test(.enabled(if: Places.hasDevice, "needs an OpenCL device")) func anotherSamplerAndTheAnalyticVariance()
    async throws
  {
    let run = try await sample(
      "--model", Self.model, "--sampler", "analytic-ddpm", "--steps", "3", "--count", "2", "--data", "DIGITS",
      "--save-gamma", "g.json", "--array", "a.npy")
    #expect(run.status == 0, "\(run.errorText)")
    let gamma = try #require(files.folder.contents(of: "g.json"))
    #expect(gamma.contains("gamma"))
    let again = try await sample(
      "--model", Self.model, "--sampler", "analytic-ddpm", "--steps", "3", "--count", "2", "--gamma", "g.json",
      "--array", "b.npy")
    #expect(again.status == 0, "\(again.errorText)")
    #expect(files.bytes("a.npy") == files.bytes("b.npy"))
  }

  @Test(.enabled(if: Places.hasDevice, "needs an OpenCL device")) func aDryRunComputesNothing() async throws {
    let run = try await sample("--model", Self.model, "--count", "1000", "--dry-run")
    #expect(run.status == 0 && files.folder.names == ["images.npy", "ring.npy"], "\(run.errorText)")
    for text in ["1 × 16 × 16", "1,112,801 parameters", "DDPMScheduler, 50 steps", "1,000 in", "MiB"] {
      #expect(run.text.contains(text), "no '\(text)' in \(run.text)")
    }
  }

  /// A scheduler_config.json whose settings no number of steps suits, and a number of steps that does not suit the file.
  @Test func faultsOfTheFileAndOfTheCallDiffer() async throws {
    let path = try copy()
    let file = path + "/scheduler/scheduler_config.json"
    func expect(_ status: Int32, _ fields: [String: Any], _ arguments: [String], _ words: String...) async throws {
      try FileManager.default.removeItem(atPath: path)
      _ = try copy()
      try change(file, fields)
      let run = try await sample(["--model", path, "--array", "a.npy"] + arguments)
      #expect(run.status == status && run.output.isEmpty && files.bytes("a.npy") == nil, "\(fields), \(arguments)")
      for word in words { #expect(run.errorText.contains(word), "\(run.errorText)") }
      #expect(run.errorText.contains(file) == (status == 1), "\(run.errorText)")
    }
    // ε is nothing to know x0 by where there is no signal; PNDM takes four steps at least.
    let bare: [String: Any] = ["rescale_betas_zero_snr": true, "timestep_spacing": "trailing"]
    try await expect(1, bare, [], "no signal")
    try await expect(1, bare, ["--steps", "5"], "no signal")
    try await expect(1, bare, ["--sampler", "ddim"], "no signal")
    try await expect(1, ["_class_name": "PNDMScheduler", "num_train_timesteps": 3], [], "four")
    try await expect(1, ["steps_offset": 999], [], "outside")
    let karras: [String: Any] = ["_class_name": "UniPCMultistepScheduler", "use_karras_sigmas": true, "sigma_min": 200]
    try await expect(1, karras, [], "200")
    try await expect(64, [:], ["--steps", "2000"], "1000")
    try await expect(64, [:], ["--steps", "1"], "timestep is 0")
    try await expect(64, ["_class_name": "PNDMScheduler"], ["--steps", "3"], "four")
  }

  /// What would not fit is refused before anything is loaded, with what would, by a dry run too.
  @Test(.enabled(if: Places.hasDevice, "needs an OpenCL device"), arguments: [["--dry-run"], ["--array", "a.npy"]])
  func aBatchThatDoesNotFit(arguments: [String]) async throws {
    let run = try await sample(
      ["--model", Self.model, "--count", "2000000", "--batch", "2000000", "--steps", "2"] + arguments)
    #expect(run.status == 1 && run.text.isEmpty)
    #expect(run.errorText.contains("a batch of 2000000 images does not fit"), "\(run.errorText)")
    #expect(files.folder.names == ["images.npy", "ring.npy"])
  }

  static let wrongOptions: [[String]] = [
    ["--normalize", "unit"], ["--schedule", "linear"], ["--zero-snr"], ["--eta", "0.5"], ["--clip", "1"], ["--no-clip"],
    ["--spacing", "leading"], ["--sampler", "ode-rk45"], ["--sampler", "flow-euler"],
    ["--sampler", "reverse-diffusion"],
    ["--sampler", "ddim", "--data", "DIGITS"], ["--data", "DIGITS"], ["--sampler", "analytic-ddpm"],
    ["--sampler", "ddpm", "--variance", "learned"], ["--sampler", "sn-ddpm"], ["--steps", "0"], ["--steps", "1001"],
    ["--save-gamma", "g.json"], ["--sampler", "ddim", "--save-gamma", "g.json"],
    ["--noise-cap", "1"], ["--sampler", "ddim", "--noise-cap", "1"],
    ["--sampler", "analytic-ddpm", "--noise-cap", "nan"],
  ]

  @Test(arguments: wrongOptions) func optionsThatDoNotFitEndWith64(arguments: [String]) async throws {
    let run = try await Weft.run(
      ["sample", "--model", Self.model, "--array", "a.npy", "--device", "cpu"] + arguments,
      directory: files.folder.path)
    #expect(run.status == 64, "\(arguments) \(run.errorText)")
    #expect(run.complaints.first?.hasPrefix("Error: ") == true && files.folder.names == ["images.npy", "ring.npy"])
  }

  @Test func modelsThatCannotBeUsedEndWith1() async throws {
    let path = try copy()
    func check(_ words: String...) async throws {
      let run = try await sample("--model", "model", "--array", "a.npy", "--device", "cpu")
      #expect(run.status == 1 && run.complaints.count == 1, "\(run.errorText)")
      for word in words { #expect(run.errorText.contains(word), "no '\(word)' in \(run.errorText)") }
      #expect(!files.folder.names.contains("a.npy"))
    }
    try change("\(path)/scheduler/scheduler_config.json", ["variance_type": "voodoo"])
    try await check("scheduler_config.json", "variance_type", "'voodoo'")
    try change("\(path)/unet/config.json", ["act_fn": "mish"])
    try await check("config.json", "act_fn", "'mish'")
    try change("\(path)/unet/config.json", ["act_fn": "silu", "block_out_channels": [32, 64, 128]])
    try change("\(path)/scheduler/scheduler_config.json", ["variance_type": "fixed_small"])
    try await check("tensor", "config.json asks for")
    let run = try await sample("--model", "nowhere", "--array", "a.npy", "--device", "cpu")
    #expect(run.status == 1 && run.errorText.contains("nowhere"))
  }
}
