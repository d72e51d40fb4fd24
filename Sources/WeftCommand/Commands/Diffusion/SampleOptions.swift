import ArgumentParser
import Diffusion
import ModelFiles

/// How many samples, from which noise, and what they begin with.
struct SampleOptions: ParsableArguments {
  private static let usualCount = 16
  /// What diffusers' pipelines take where nothing is said.
  private static let usualStrength = 0.8

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Samples to draw (16, or as many as --noise has).", valueName: "n"))
  var count: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The noise's seed. Sample i of a seed is the same whatever the count and the batch are.", valueName: "seed"),
    transform: { try Choice.seed($0) })
  var seed: UInt64?

  @Option(
    help: ArgumentHelp(
      "A seed for each sample, separated by commas, instead of --count and --seed.", valueName: "list"),
    transform: { try Choice.seeds($0) })
  var seeds: [UInt64]?

  @Option(
    help: ArgumentHelp("Samples on the way from the noise of one seed to that of another.", valueName: "seed,seed"),
    transform: { try Choice.seeds($0) })
  var interpolate: [UInt64]?

  @Option(
    help: ArgumentHelp(
      "Start from this noise, of unit variance: [n, …] for n samples, such as 'weft hubs' writes.",
      valueName: "file.npy"))
  var noise: String?

  @Option(
    help: ArgumentHelp("Start from this sample, or these, with noise on top: see --strength.", valueName: "file.npy"))
  var start: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "How much of --start is given up, above 0 and at most 1 (0.8): the share of the steps taken.", valueName: "share")
  )
  var strength: Double?

  @Option(
    help: ArgumentHelp("Paint where this is 1, keep what --known shows where it is 0.", valueName: "file.npy"))
  var mask: String?

  @Option(help: ArgumentHelp("What is known, in the data's units.", valueName: "file.npy"))
  var known: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Samples computed together. Changes speed and memory, never results.", valueName: "n"))
  var batch: Int?

  func validate() throws {
    if let count, !(1...Int(UInt32.max)).contains(count) {
      throw ValidationError("--count is \(count): it must be at least 1 and below 2^32")
    }
    if let batch, !(1...Int(UInt32.max)).contains(batch) {
      throw ValidationError("--batch is \(batch): it must be at least 1 and below 2^32")
    }
    if seeds != nil, count != nil || seed != nil {
      throw ValidationError("--seeds says how many samples there are: leave out --count and --seed")
    }
    if let interpolate {
      guard interpolate.count == 2 else {
        throw ValidationError("--interpolate takes two seeds, not \(interpolate.count): --interpolate 1,2")
      }
      guard seed == nil, seeds == nil, start == nil else {
        throw ValidationError("--interpolate has its own seeds: leave out --seed, --seeds and --start")
      }
    }
    if noise != nil {
      guard interpolate == nil, start == nil else {
        throw ValidationError("--noise is what samples start from: leave out --start and --interpolate")
      }
    }
    guard (mask == nil) == (known == nil) else { throw ValidationError("--mask and --known belong together") }
    for (option, path) in [("--noise", noise), ("--start", start), ("--mask", mask), ("--known", known)]
    where path?.isEmpty == true {
      throw ValidationError("\(option) needs the name of a .npy file")
    }
    if let strength {
      guard start != nil else { throw ValidationError("--strength is about --start, which is missing") }
      guard strength > 0, strength <= 1 else {
        throw ValidationError("--strength is \(strength): it must be above 0 and at most 1")
      }
    }
  }

  /// The options given that say what samples begin with, other than noise, or keep.
  var givenStarts: [String] {
    (start != nil ? ["--start"] : []) + (mask != nil ? ["--mask"] : []) + (known != nil ? ["--known"] : [])
  }

  /// Samples that are drawn.
  func sampleCount(noise: GivenNoise?) -> Int { seeds?.count ?? count ?? noise?.count ?? Self.usualCount }

  /// The noise that `--noise` names; nil without it.
  /// - Throws: `ModelFileError` if the file cannot be used, or has too little for as many samples as are asked for.
  func givenNoise(for data: SampleSpace) throws -> GivenNoise? {
    guard let noise else { return nil }
    let given = try GivenNoise(path: noise, shape: data.shape)
    let count = sampleCount(noise: given)
    guard count <= given.count else {
      throw ModelFileError(
        file: noise,
        problem: "holds noise for \(given.count) samples, and \(count) are asked for"
          + (seeds == nil ? "; leave out --count" : ", one for each of --seeds"))
    }
    return given
  }

  /// The share of the steps that are taken.
  var stepShare: Double { start == nil ? 1 : strength ?? Self.usualStrength }

  /// What is wrong with a start where the usual strength leaves no step; nil if it leaves some.
  func problem(steps: Int) -> String? {
    guard start != nil, strength == nil, steps == 1 else { return nil }
    return "--start: a single step is all or nothing: give more --steps, or --strength 1 to take it"
  }

  /// What the sampler is asked for.
  ///
  /// - Parameters:
  ///   - data: what is sampled.
  ///   - noise: what `--noise` names.
  /// - Returns: the request.
  /// - Throws: `ModelFileError` if a file cannot be used.
  func request(for data: SampleSpace, noise: GivenNoise?) throws -> SamplingRequest {
    let sampleCount = sampleCount(noise: noise)
    var request = seeds.map { SamplingRequest(seeds: $0) } ?? SamplingRequest(count: sampleCount, seed: seed ?? 0)
    func read(_ path: String) throws -> [Float] {
      data.normalization.apply(try SampleArray(path: path, shape: data.shape, count: sampleCount).values)
    }
    if let interpolate { request.start = .interpolation(from: interpolate[0], to: interpolate[1]) }
    if let start { request.start = .images(try read(start)) }
    if let noise { request.start = .given(Array(noise.values.prefix(sampleCount * data.elements))) }
    if let mask, let known {
      request.inpainting = SamplingRequest.Inpainting(
        known: try read(known), mask: try SampleArray(mask: mask, shape: data.shape, count: sampleCount).values)
    }
    return request
  }
}

/// How exactly the adaptive flow is followed.
struct AdaptiveOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "\(SamplerChoice.adaptiveName)'s: each step may err by this, absolutely and relative to the sample (1e-5).",
      valueName: "number"))
  var tolerance: Double?

  func validate() throws {
    if let tolerance, !(tolerance >= 1e-7 && tolerance <= 1) {
      throw ValidationError("--tolerance is \(tolerance): it must be from 1e-7, which float32 can keep, to 1")
    }
  }

  /// Refuses options without effect: a tolerance with other samplers, and what plans steps with the adaptive flow.
  func check(_ settings: SamplerSettings, starts: [String], trajectory: Bool) throws {
    guard settings.method.sampler == .adaptive else {
      guard tolerance == nil else {
        throw ValidationError("--tolerance is for --sampler \(SamplerChoice.adaptiveName): others take planned steps")
      }
      return
    }
    let given = settings.method.given + settings.clipping.given + starts + settings.gamma.given
    guard let option = (given + (trajectory ? ["--trajectory"] : [])).first else { return }
    throw ValidationError(
      "\(option) does nothing with \(SamplerChoice.adaptiveName), which follows the flow in steps of its own: "
        + "it takes --tolerance, and --schedule vp, ve or subvp")
  }
}
