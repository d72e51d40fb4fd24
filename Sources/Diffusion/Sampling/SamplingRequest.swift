internal import Engine

/// What a sampler is asked for.
public struct SamplingRequest: Sendable {
  /// How the samples begin.
  public enum Start: Sendable {
    /// From noise, by seed and sample id.
    case noise
    /// From given noise of unit variance, `count · elements` numbers.
    case given([Float])
    /// From images with the noise of the plan's first level on top: `elements` numbers for all samples, or
    /// `count · elements`. The plan should be made for a part of the way, see `TimeGrid.suffix(strength:)`.
    case images([Float])
    /// From points on the arc between two noises: sample 0 of the first seed at one end, of the second at the other.
    case interpolation(from: UInt64, to: UInt64)
  }

  /// Parts of the image that are known and stay: after each step they are replaced by the known image with that step's
  /// noise (Lugmayr et al., 2022, without resampling), after the last one without any: at the end they are exact.
  public struct Inpainting: Sendable {
    /// The known image, `elements` numbers for all samples, or `count · elements`.
    public var known: [Float]
    /// 1 where the sampler paints, 0 where the known image stays; as many numbers as fit a sample, or all.
    public var mask: [Float]

    /// A known image and what is to be painted.
    public init(known: [Float], mask: [Float]) {
      self.known = known
      self.mask = mask
    }
  }

  /// What is read back on the way. It costs a wait for the device each time.
  public struct Observation: Sendable, Hashable {
    /// Report after every so many steps.
    public var every: Int
    /// Whether what the samples begin with is reported too, as step 0.
    public var start: Bool
    /// Whether the noisy samples are reported.
    public var samples: Bool
    /// Whether the predicted clean samples are reported.
    public var previews: Bool

    /// A report every `every` steps.
    public init(every: Int = 1, start: Bool = false, samples: Bool = false, previews: Bool = false) {
      self.every = every
      self.start = start
      self.samples = samples
      self.previews = previews
    }
  }

  /// How many samples.
  public var count: Int
  /// The noise's seed. Sample `i` of a seed is the same whatever `count` and the batch size are.
  public var seed: UInt64
  /// The first sample's id: ids go on from there.
  public var firstSample: Int
  /// A seed for each sample, instead of one seed and ids: sample `i` is then sample 0 of seed `seeds[i]`.
  public var seeds: [UInt64]?
  /// How the samples begin.
  public var start: Start
  /// Parts that are known.
  public var inpainting: Inpainting?
  /// What is reported on the way; only finished batches if nil.
  public var observation: Observation?

  /// A request for `count` samples of a seed.
  public init(count: Int, seed: UInt64 = 0) {
    self.count = count
    self.seed = seed
    firstSample = 0
    start = .noise
  }

  /// A request for one sample of each seed.
  public init(seeds: [UInt64]) {
    self.init(count: seeds.count)
    self.seeds = seeds
  }

  func identities(_ samples: Range<Int>) -> [SampleIdentity] {
    samples.map { sample in
      if let seeds { return SampleIdentity(seed: seeds[sample], sample: 0) }
      return SampleIdentity(seed: seed, sample: UInt32(firstSample + sample))
    }
  }

  /// Checks counts against the sample's size.
  func validate(elements: Int) throws(DiffusionError) {
    try require(count > 0, "at least one sample must be asked for, not \(count)")
    try require(
      firstSample >= 0 && firstSample <= Int(UInt32.max) && count <= Int(UInt32.max) - firstSample,
      "sample ids go from 0 to \(UInt32.max)")
    if let seeds {
      try require(seeds.count == count, "\(seeds.count) seeds are given for \(count) samples")
    }
    if let observation {
      try require(observation.every > 0, "a report every \(observation.every) steps makes no sense")
    }
    func check(_ values: [Float], _ name: String, mayBeShared: Bool = true) throws(DiffusionError) {
      let (all, overflow) = count.multipliedReportingOverflow(by: elements)
      try require(
        !overflow && (values.count == all || (mayBeShared && values.count == elements)),
        "\(name) has \(values.count) numbers; \(mayBeShared ? "\(elements) or " : "")\(count) × \(elements) are needed",
        kind: .invalidData)
      try requireRange(values, name)
    }
    switch start {
    case .noise, .interpolation: break
    case .given(let values): try check(values, "the given noise", mayBeShared: false)
    case .images(let values): try check(values, "the image to start from")
    }
    if let inpainting {
      try check(inpainting.known, "the known image")
      try check(inpainting.mask, "the mask")
      try require(
        inpainting.mask.allSatisfy { $0 >= 0 && $0 <= 1 }, "a mask's numbers must lie in 0 … 1", kind: .invalidData)
    }
  }
}
