import Testing

/// Calling the command wrongly, and asking how to call it rightly.
@Suite struct UsageTests {
  /// A training with all that it must be told, and more.
  private static func train(_ more: [String]) -> [String] {
    ["train", "--encoder", "e", "--data", "t", "--dev", "d", "--task", "entities", "--output", "o"] + more
  }

  static let wrongCalls: [(arguments: [String], named: String)] = [
    (["nothing"], "nothing"),
    (["extract", "--nothing"], "--nothing"),
    (["extract", "--threshold", "high"], "--threshold"),
    (["extract", "--threshold", "nan"], "--threshold"),
    (["extract", "--threshold"], "--threshold"),
    (["extract", "--mode", "deep"], "--mode"),
    (["extract", "--offsets", "bytes"], "--offsets"),
    (["extract", "--batch-tokens", "0"], "--batch-tokens"),
    (["extract", "--batch-tokens", "many"], "--batch-tokens"),
    (["extract", "--device", ""], "--device"),
    (["extract", "--precision", "int8"], "--precision"),
    (["sample", "--data", "DIGITS", "--precision", "bfloat16"], "--model"),
    (["evaluate"], "<gold.jsonl>"),
    (["evaluate", "a", "b"], "b"),
    (["tokenize", "--device", "cpu"], "--device"),
    (["devices", "all"], "all"),
    (["bench", "triples"], "triples"),
    (["bench", "pairs", "--head", "biaffine"], "--head"),
    (["bench", "pairs", "--batch", "0"], "--batch"),
    (["bench", "pairs", "--head-size", "63"], "--head-size"),
    (["bench", "pairs", "--repetitions", "0"], "--repetitions"),
    (["bench", "links", "--predicates", "0"], "--predicates"),
    (["bench", "links", "--length", "2"], "--length"),
    (["bench", "links", "--density", "1"], "--density"),
    (["bench", "links", "--density", "nan"], "--density"),
    (["bench", "links", "--batch", "60000", "--length", "60000"], "smaller batch"),
    (["bench", "encoder", "--shape", "large"], "--shape"),
    (["bench", "encoder", "--length", "513"], "--length"),
    (["conformance", "--programs", "p"], "--variant"),
    (["conformance", "--work-group", "64"], "--programs"),
    (["train"], "--encoder"),
    (train(["--task", "answers"]), "--task"),
    (train(["--head", "biaffine"]), "--head"),
    (train(["--loss", "mse"]), "--loss"),
    (train(["--head-size", "63"]), "head size is 63"),
    (train(["--epochs", "0"]), "number of epochs is 0"),
    (train(["--batch", "-1"]), "batch size is -1"),
    (train(["--learning-rate", "nan"]), "learning rate is nan"),
    (train(["--warm-up", "2"]), "warm-up share is 2"),
    (train(["--mixup", "-1"]), "alpha is -1"),
    (train(["--label-smoothing", "1"]), "label smoothing is 1"),
    (train(["--seed", "-1"]), "--seed"),
    (train(["--batch-tokens", "0"]), "--batch-tokens"),
    (train(["--features", ""]), "--features"),
    (train(["--feature-precision", "int8"]), "--feature-precision"),
    (train(["--resume", "--overwrite"]), "--overwrite"),
    (["import", "a", "b"], "--from"),
    (["import", "--from", "keras", "--labels", "A", "a", "b"], "bert4torch-0.2.5"),
    (["import", "--from", "weft", "--labels", "A", "a", "b"], "--from weft"),
    (["import", "--from", "paddle", "a", "b"], "--labels"),
    (["import", "--from", "paddle", "--labels", "A", "a"], "<destination>"),
    (["import", "--from", "paddle", "--labels", "A", "--predicates", "P", "a", "b"], "--predicates"),
    (["import", "--from", "paddle", "--task", "relations", "a", "b"], "--predicates"),
    (
      ["import", "--from", "paddle", "--task", "relations", "--predicates", "P", "--labels", "A", "a", "b"], "--labels"
    ),
    (["import", "--from", "paddle", "--task", "answers", "--labels", "A", "a", "b"], "--task"),
    (["import", "--from", "paddle", "--labels", "A,B,A", "a", "b"], "\"A\" is given twice"),
    (["import", "--from", "paddle", "--task", "events", "--labels", "A", "a", "b"], "TYPE/ROLE"),
    (["import", "--from", "paddle", "--labels", "A", "--tensor", "p_dense", "a", "b"], "--tensor"),
    (["import", "--from", "paddle", "--labels", "A", "--tensor", "p=a", "--tensor", "p=b", "a", "b"], "--tensor"),
    (["import", "--from", "paddle", "--labels", "A", "--head", "biaffine", "a", "b"], "--head"),
    (["import", "--from", "paddle", "--labels", "A", "--head-size", "0", "a", "b"], "head size of 0"),
  ]

  @Test(arguments: wrongCalls.map(\.arguments))
  func wrongCallEndsWith64(arguments: [String]) async throws {
    let run = try await Weft.run(arguments)
    #expect(run.status == 64)
    #expect(run.output.isEmpty)
    let named = try #require(Self.wrongCalls.first { $0.arguments == arguments }).named
    #expect(run.errorText.hasPrefix("Error: ") && run.complaints[0].contains(named), "\(run.errorText)")
  }

  static let options: [(command: [String], names: [String])] = [
    (
      [],
      [
        "extract", "evaluate", "tokenize", "train", "import", "sample", "schedule", "devices", "tune", "bench",
        "conformance", "demo",
        "--version",
        "images",
      ]
    ),
    (
      ["extract"],
      [
        "--model", "--device", "--threshold", "--mode", "--offsets", "--batch-tokens", "--lines",
        "--output", "<input>", "nested", "flat", "codepoint", "utf16", "utf8",
      ]
    ),
    (["evaluate"], ["--model", "--device", "--threshold", "--mode", "--batch-tokens", "--json", "<gold.jsonl>"]),
    (["tokenize"], ["--model", "<input>"]),
    (["devices"], ["--json"]),
    (
      ["tune"],
      ["--device", "--variant", "--model", "--shape", "--seconds", "--forget", "--json", "--verbose", "cifar10-32"]
    ),
    (
      ["train"],
      [
        "--encoder", "--data", "--dev", "--task", "--output", "--head", "--head-size", "--loss", "--epochs", "--batch",
        "--learning-rate", "--warm-up", "--weight-decay", "--clip", "--label-smoothing", "--mixup", "--patience",
        "--seed", "--resume", "--overwrite", "--features", "--feature-precision", "--batch-tokens", "--device",
        "globalpointer", "efficient", "zlpr", "bce", "float16", "entities", "relations", "events",
      ]
    ),
    (
      ["import"],
      [
        "--from", "--task", "--labels", "--predicates", "--head", "--head-size", "--no-rope", "--tensor", "--base",
        "<source>", "<destination>", "bert4keras", "bert4torch-0.2.5", "taishan1994", "TYPE/ROLE", "np.savez",
      ]
    ),
    (["bench"], ["pairs", "links", "encoder"]),
    (
      ["bench", "pairs"],
      [
        "--head", "--batch", "--heads", "--length", "--head-size", "--device", "--variant", "--repetitions", "--warmup",
        "--json",
      ]
    ),
    (
      ["bench", "links"],
      [
        "--head", "--batch", "--length", "--predicates", "--head-size", "--density", "--device", "--variant",
        "--repetitions", "--warmup", "--json",
      ]
    ),
    (["bench", "encoder"], ["--shape", "--batch", "--length", "--device", "--repetitions", "--warmup", "--json"]),
    (["conformance"], ["--device", "--variant", "--small", "--filter", "--verbose", "--programs", "--work-group"]),
    (["demo"], ["--device", "--text", "--output", "--digits"]),
    (
      ["sample"],
      [
        "--list", "--data", "--normalize", "--output", "--array", "--trajectory", "--count", "--seed", "--seeds",
        "--interpolate", "--start", "--strength", "--mask", "--known", "--batch", "--sampler", "--steps", "--spacing",
        "--timesteps", "--sigmas", "--eta", "--variance", "--final-noise", "--final-alpha-bar", "--shift", "--clip",
        "--no-clip", "--threshold", "--schedule", "--beta-start", "--beta-end", "--timesteps-total", "--zero-snr",
        "--gamma", "--save-gamma", "--device", "DIGITS", "-1 to 1", "variance 1",
      ]
    ),
    (
      ["schedule"],
      [
        "--sampler", "--steps", "--spacing", "--timesteps", "--sigmas", "--eta", "--variance", "--final-noise",
        "--schedule", "--prediction", "--strength", "--gamma", "--gaussian-variance", "--output", "--json",
      ]
    ),
  ]

  @Test(arguments: options.map(\.command))
  func helpNamesEveryOption(command: [String]) async throws {
    let run = try await Weft.run(command + ["--help"])
    #expect(run.status == 0 && run.errorText.isEmpty)
    let names = try #require(Self.options.first { $0.command == command }).names
    for name in names { #expect(run.text.contains(name), "\(command) does not explain \(name)") }
    for line in run.lines { #expect(line.count <= 80, "\(line)") }
  }

  @Test func versionIsANumber() async throws {
    let run = try await Weft.run("--version")
    #expect(run.status == 0)
    #expect(run.lines.first?.split(separator: ".").count == 3)
  }

  @Test(arguments: ["voodoo", "opencl:99", "opencl:-1", "opencl:first", "gpu9000"])
  func unknownDevicesAreAnsweredWithTheKnown(name: String) async throws {
    for command in [["extract"], ["bench", "pairs"], ["demo"]] {
      let run = try await Weft.run(command + ["--device", name])
      #expect(run.status == 1)
      #expect(run.output.isEmpty)
      #expect(run.complaints.count == 1)
      #expect(run.errorText.contains("'\(name)'") && run.errorText.contains("known: auto, cpu"))
    }
  }
}
