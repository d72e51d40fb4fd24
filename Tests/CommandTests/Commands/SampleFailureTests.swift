import Foundation
import Testing

/// `weft sample` with data, options and outputs that cannot be used: one clear line, and no file.
@Suite struct SampleFailureTests {
  private let files: SampleFiles

  init() throws { files = try SampleFiles() }

  /// Runs, and checks that it ends with `status`, one line with all `words`, and no output.
  private func check(_ arguments: [String], status: Int32, _ words: String...) async throws {
    let before = files.folder.names
    let run = try await Weft.run(["sample", "--device", "cpu"] + arguments, directory: files.folder.path)
    #expect(run.status == status, "\(arguments)")
    #expect(run.output.isEmpty && files.folder.names == before, "\(arguments)")
    let errors = run.complaints.filter { $0.hasPrefix("Error: ") }
    #expect(errors.count == 1 && run.complaints.first == errors.first, "\(run.errorText)")
    if status == 1 { #expect(run.complaints.count == 1) }
    for word in words { #expect(errors.first?.contains(word) == true, "no '\(word)' in \(run.errorText)") }
  }

  static let options: [[String]] = [
    ["--steps", "0"], ["--steps", "-3"], ["--steps", "1001"], ["--steps", "1.5"], ["--steps", "many"],
    ["--sampler", "ddim", "--eta", "1.5"], ["--sampler", "ddim", "--eta", "-0.1"],
    ["--sampler", "ddim", "--eta", "nan"],
    ["--eta", "0.5"], ["--sampler", "voodoo"], ["--schedule", "voodoo"], ["--spacing", "voodoo"],
    ["--variance", "voodoo"], ["--variance", "large"], ["--sampler", "npr-ddpm"], ["--sampler", "sn-ddim"],
    ["--sampler", "ddpm", "--variance", "learned"], ["--sampler", "ode-heun", "--schedule", "linear"],
    ["--sampler", "flow-euler", "--schedule", "linear"], ["--sampler", "ddpm", "--schedule", "ve"],
    ["--spacing", "lambda"], ["--timesteps", "1,2,3"], ["--timesteps", "999,x"], ["--timesteps", "1000"],
    ["--timesteps", "999,500", "--steps", "2"], ["--timesteps", "5", "--sigmas", "5"], ["--sigmas", "1,2"],
    ["--count", "0"], ["--count", "-1"], ["--count", "4000000000"], ["--seed", "-1"], ["--seeds", "1,two"],
    ["--seeds", "1", "--seed", "2"], ["--batch", "0"], ["--batch", "9223372036854775807"], ["--interpolate", "1"],
    ["--interpolate", "1,2", "--seed", "3"],
    ["--strength", "0.5"], ["--start", "images.npy", "--strength", "0"],
    ["--start", "images.npy", "--strength", "1.1"],
    ["--mask", "images.npy"], ["--clip", "0"], ["--clip", "nan"], ["--clip", "1", "--no-clip"], ["--threshold", "1.5"],
    ["--beta-start", "0.5", "--beta-end", "0.1"], ["--beta-end", "1"], ["--timesteps-total", "0"],
    ["--schedule", "vp", "--timesteps-total", "10"], ["--shift", "3"], ["--sampler", "flow-euler", "--shift", "0"],
    ["--gamma", "gamma.json"], ["--noise-cap", "1"], ["--noise-cap", "-1"], ["--final-noise"], ["--normalize", "much"],
    ["--output", "out.jpg"],
    ["--array", "out.txt"], ["--trajectory"],
    // Options that would do nothing.
    ["--sampler", "euler-maruyama", "--clip", "1"], ["--sampler", "lms", "--threshold", "0.9"],
    ["--sampler", "pndm", "--clip", "1"], ["--variance", "small"], ["--sampler", "ddim", "--variance", "small"],
    ["--sampler", "ode-euler", "--final-alpha-bar", "first"], ["--sampler", "flow-euler", "--final-alpha-bar", "one"],
    ["--sampler", "ddpm", "--schedule", "vp", "--final-alpha-bar", "first"],
    ["--sampler", "ddpm", "--schedule", "vp", "--final-noise"], ["--sampler", "lcm", "--final-alpha-bar", "first"],
    ["--sampler", "ddpm", "--final-noise", "--final-alpha-bar", "first"], ["--final-alpha-bar", "voodoo"],
    ["--sampler", "ode-heun", "--timesteps-total", "100"], ["--sampler", "ode-heun", "--zero-snr"],
    // Numbers that float32 cannot square.
    ["--sampler", "euler", "--sigmas", "1e20,1"],
    ["--sampler", "euler-maruyama", "--schedule", "ve", "--beta-end", "1e30"],
    ["--sampler", "euler-maruyama", "--schedule", "vp", "--beta-end", "1e300"],
    ["--tolerance", "1e-3"], ["--sampler", "ode-rk45", "--tolerance", "0"],
    ["--sampler", "ode-rk45", "--schedule", "linear"], ["--sampler", "ode-rk45", "--steps", "5"],
    ["--sampler", "ode-rk45", "--spacing", "lambda"], ["--sampler", "ode-rk45", "--eta", "1"],
    ["--sampler", "ode-rk45", "--clip", "1"], ["--sampler", "ode-rk45", "--start", "images.npy"],
    ["--sampler", "ode-rk45", "--save-gamma", "g.json"],
    ["--sampler", "ode-rk45", "--known", "images.npy", "--mask", "images.npy"],
  ]

  @Test(arguments: options)
  func wrongOptionsEndWith64(arguments: [String]) async throws {
    let output = arguments.contains("--array") || arguments.contains("--output") ? [] : ["--array", "out.npy"]
    try await check(["--data", "images.npy"] + output + arguments, status: 64)
  }

  @Test func dataAndAnOutputAreNeeded() async throws {
    try await check(["--array", "out.npy"], status: 64, "--data", "DIGITS")
    try await check(["--data", "images.npy"], status: 64, "--output", "--array")
    try await check(["--data", "ring.npy", "--array", "a", "--output", "a"], status: 64, "--array", "--output")
  }

  /// A file may go by other names: through folders, symbolic links and hard links.
  @Test func outputsThatAreInputsOrEachOther() async throws {
    let folder = files.folder.path
    try files.write("start.npy", [Float](repeating: 1, count: 12), [3, 4])
    _ = try files.folder.file("gamma.json", "{}".utf8)
    try FileManager.default.createSymbolicLink(atPath: folder + "/soft.npy", withDestinationPath: "images.npy")
    try FileManager.default.linkItem(atPath: folder + "/images.npy", toPath: folder + "/hard.npy")
    try FileManager.default.createSymbolicLink(atPath: folder + "/here", withDestinationPath: ".")
    let before = files.bytes("images.npy")
    for name in ["images.npy", "./images.npy", folder + "/images.npy", "here/images.npy", "soft.npy", "hard.npy"] {
      try await check(["--data", "images.npy", "--array", name], status: 64, "--data", "overwritten")
    }
    let common = ["--data", "images.npy"]
    try await check(common + ["--start", "start.npy", "--array", "./start.npy"], status: 64, "--start")
    let painted = ["--known", "start.npy", "--mask", "start.npy"]
    try await check(common + painted + ["--array", "start.npy"], status: 64, "overwritten")
    let analytic = common + ["--sampler", "analytic-ddpm", "--array", "out.npy"]
    try await check(
      common + ["--sampler", "analytic-ddpm", "--gamma", "gamma.json", "--array", "gamma.json"], status: 64)
    for (array, picture) in [("zz", "./zz"), ("zz", "here/zz"), (folder + "/zz", "zz")] {
      try await check(common + ["--array", array, "--output", picture], status: 64, "--array", "--output")
    }
    try await check(analytic + ["--save-gamma", "./out.npy"], status: 64, "--save-gamma", ".json")
    try await check(analytic + ["--save-gamma", "gamma.txt"], status: 64, ".json")
    #expect(files.bytes("images.npy") == before)
    let fresh = try await Weft.run(
      ["sample", "--device", "cpu"] + analytic + ["--save-gamma", "g"], directory: folder)
    #expect(fresh.status == 0 && files.bytes("g") != nil, "\(fresh.errorText)")
  }

  @Test func dataThatAreNoneAreNamed() async throws {
    try files.write("nan.npy", [1, 2, .nan, 3], [2, 2])
    try files.write("infinite.npy", [1, 2, 3, -.infinity], [1, 2, 2])
    try files.write("list.npy", [1, 2, 3], [3])
    try files.write("deep.npy", [1, 2], [1, 1, 1, 1, 2])
    try files.write("last.npy", [Float](repeating: 1, count: 48), [1, 4, 4, 3])
    try files.write("empty.npy", [], [0, 2])
    try files.write("integers.npy", type: "<i8", shape: "(2, 2)", bytes: 32)
    try files.write("bytes.npy", type: "|u1", shape: "(2, 2)", bytes: 4)
    try files.write("complex.npy", type: "<c8", shape: "(2, 2)", bytes: 32)
    try files.write("objects.npy", type: "|O", shape: "(2, 2)", bytes: 32)
    try files.write("short.npy", type: "<f4", shape: "(2, 2)", bytes: 15)
    try files.write("long.npy", type: "<f4", shape: "(2, 2)", bytes: 17)
    _ = try files.folder.file("text.npy", "1,2\n3,4\n".utf8)
    _ = try files.folder.file("nothing.npy", [])
    let wrong = [
      ("nan.npy", "(1, 0): nan"), ("infinite.npy", "-inf"), ("list.npy", "[N, d]"), ("deep.npy", "[N, d]"),
      ("last.npy", "channels"), ("empty.npy", "no numbers"), ("integers.npy", "<i8"), ("bytes.npy", "|u1"),
      ("complex.npy", "complex"), ("objects.npy", "pickle"), ("short.npy", "cut short"), ("long.npy", "too long"),
      ("text.npy", "not a .npy file"), ("nothing.npy", "empty"), ("missing.npy", "No such file"), (".", "directory"),
    ]
    for (name, word) in wrong {
      try await check(["--data", name, "--array", "out.npy", "--output", "out.png"], status: 1, name, word)
    }
  }

  /// Plots are vector graphics, and pictures of images are not.
  @Test func picturesHaveTheFormatOfTheirData() async throws {
    try await check(["--data", "ring.npy", "--output", "out.png"], status: 64, "out.png", "only .svg files", "points")
    try await check(
      ["--data", "images.npy", "--output", "out.svg"], status: 64, "out.svg", "only .png files", "images")
    try await check(["--data", "images.npy", "--output", "out.jpg"], status: 64, "out.jpg", ".png", ".svg")
  }

  @Test func filesThatDoNotFitTheDataAreNamed() async throws {
    try files.write("nan.npy", [Float](repeating: .nan, count: 12), [3, 4])
    try files.write("two.npy", [Float](repeating: 2, count: 12), [3, 4])
    try files.write("good.npy", [Float](repeating: 1, count: 12), [3, 4])
    _ = try files.folder.file("gamma.json", "{}".utf8)
    let common = ["--data", "images.npy", "--array", "out.npy"]
    try await check(common + ["--start", "ring.npy"], status: 1, "ring.npy", "[3, 4]")
    try await check(common + ["--start", "nan.npy"], status: 1, "nan.npy")
    try await check(common + ["--start", "missing.npy"], status: 1, "missing.npy")
    try await check(common + ["--known", "good.npy", "--mask", "two.npy"], status: 1, "two.npy", "mask")
    try await check(common + ["--sampler", "analytic-ddpm", "--gamma", "gamma.json"], status: 1, "gamma.json")
    try await check(common + ["--sampler", "analytic-ddpm", "--gamma", "missing.json"], status: 1, "missing.json")
    let many = ["--data", "images.npy", "--output", "out.png", "--count", "10000000"]
    try await check(many, status: 1, "too large")
  }

  @Test func numbersThatDoNotFitAreNamed() async throws {
    try files.write("large.npy", [1e30, 2, 3, 4], [2, 2])
    try files.write("small.npy", [1, 2, 3, 4], [2, 2])
    try files.write("start.npy", [1, -1e30], [2])
    let raw = ["--normalize", "none", "--array", "out.npy"]
    try await check(["--data", "large.npy"] + raw, status: 1, "large.npy", "1e+30", "--normalize")
    try await check(["--data", "small.npy", "--start", "start.npy"] + raw, status: 1, "-1e+30")
    let many = ["--data", "ring.npy", "--array", "out.npy", "--count", "4000000000"]
    try await check(many, status: 64, "--count", "memory")
  }

  /// β so large that a step leaves the range: said as it is, and nothing is written.
  @Test func divergenceIsSaid() async throws {
    let wild = [
      "--data", "ring.npy", "--array", "out.npy", "--steps", "60", "--schedule", "subvp", "--beta-start", "1300",
      "--beta-end", "1400",
    ]
    try await check(wild + ["--sampler", "euler-maruyama"], status: 1, "diverged", "float32")
  }

  @Test func wordsSayWhatIsExpected() async throws {
    let out = ["--array", "out.npy"]
    try await check(["--data", ""] + out, status: 64, "--data", "DIGITS")
    for option in ["--start", "--known", "--mask", "--gamma"] {
      try await check(["--data", "ring.npy", option, ""] + out, status: 64, option)
    }
    try await check(["--data", "ring.npy", "--array", ""], status: 64, "--array", ".npy")
    for seed in ["18446744073709551616", "-1", "1.5", "one"] {
      try await check(["--data", "ring.npy", "--seed", seed] + out, status: 64, "--seed", "18446744073709551615")
    }
    try await check(["--data", "ring.npy", "--seeds", "1,-2"] + out, status: 64, "'-2'", "18446744073709551615")
    for shape in ["0", "", "3,,4", "3,-4", "1,2,3,4,5", "100000,100000"] {
      let run = try await Weft.run("bench", "denoise", "--shape", shape)
      let error = try #require(run.complaints.first { $0.hasPrefix("Error: ") })
      #expect(run.status == 64 && error.contains("--shape") && error.contains("such as 3,64,64"), "\(run.errorText)")
    }
  }

  @Test func placesThatCannotBeWritten() async throws {
    _ = try files.folder.file("old.npy", "before".utf8)
    let common = ["--data", "ring.npy", "--steps", "2", "--count", "2"]
    try await check(common + ["--array", "/no/such/folder/out.npy"], status: 1, "/no/such/folder/out.npy")
    try await check(common + ["--output", "."], status: 1, "Is a directory")
    try await check(common + ["--array", "/dev/full"], status: 1, "/dev/full", "No space left")
    // The array alone would have worked.
    for other in ["/no/such/folder/out.svg", "/dev/full"] {
      try await check(common + ["--array", "old.npy", "--output", other], status: 1, other)
      try await check(common + ["--array", "new.npy", "--output", other], status: 1, other)
    }
    #expect(files.folder.contents(of: "old.npy") == "before")
    #expect(!files.folder.names.contains("new.npy"))
  }

  @Test(arguments: ["INT", "TERM"])
  func interruptionLeavesNothingBehind(signal: String) async throws {
    let run = try await Weft.shell(
      """
      # A shell without job control starts background jobs that ignore interrupts.
      env --default-signal=INT "$WEFT" sample --device cpu --data DIGITS --sampler ddim --steps 1000 --count 5000 \\
        --array a.npy --output b.png & process=$!
      for i in $(seq 300); do [ $(ls -A | grep -c partial) = 2 ] && break; sleep 0.1; done
      ls -A | grep -c partial
      sleep 0.3
      kill -\(signal) $process
      wait $process
      echo $?
      ls -A
      """, directory: files.folder.path)
    #expect(run.lines == ["2", signal == "INT" ? "130" : "143", "images.npy", "ring.npy"])
  }
}
