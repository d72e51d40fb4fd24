public import Engine

/// The probability-flow ODE `dx/dt = f(t) x - ½ g(t)² s(x, t)` by an adaptive Runge-Kutta method of order 5 (Song et al.,
/// 2021): samples to a given tolerance, and their likelihood.
///
/// Each sample has its own steps, chosen by its own error, so that its result does not depend on its batch.
public struct AdaptiveFlow: Sendable {
  /// The denoiser's noise.
  public let schedule: ContinuousSchedule
  /// What predicts the clean samples.
  public let denoiser: any Denoiser
  /// The device that computes.
  public let engine: Engine
  /// An error is allowed to be `absolute + relative · |x|`, as a root mean square over the sample.
  public var absoluteTolerance = 1e-5
  /// See `absoluteTolerance`.
  public var relativeTolerance = 1e-5
  /// The time at the data's end; at 0 the score grows without bound.
  public var end = 1e-3
  /// Samples in a batch; chosen for the device if nil.
  public var batchSize: Int?

  /// A flow for a denoiser.
  ///
  /// - Parameters:
  ///   - schedule: the noise it was trained with.
  ///   - denoiser: what predicts the clean samples; told t in 0 … 1.
  ///   - engine: the device that computes.
  public init(_ schedule: ContinuousSchedule, denoiser: any Denoiser, on engine: Engine) {
    self.schedule = schedule
    self.denoiser = denoiser
    self.engine = engine
  }

  /// Samples, and what they cost.
  public struct Outcome: Sendable {
    /// The samples, at the time `end`.
    public let samples: SampleSet
    /// Evaluations of the denoiser that each batch took.
    public let evaluations: [Int]
  }

  /// Draws samples.
  ///
  /// - Parameter request: how many and from where; inpainting and observation do not apply.
  /// - Returns: the samples.
  /// - Throws: `DiffusionError` if an option makes no sense or a sample needs steps that are too small; `EngineError`; what
  ///   the denoiser throws; `CancellationError`.
  public func samples(_ request: SamplingRequest) async throws -> Outcome {
    try validate()
    try request.validate(elements: denoiser.elementCount)
    try require(
      request.inpainting == nil && request.observation == nil,
      "the adaptive flow cannot keep parts of an image or report steps: they differ from sample to sample")
    let start = schedule.level(at: 1)
    let plan = SamplingPlan([], start: start, initialScale: schedule.initialScale)
    var values: [Float] = []
    var evaluations: [Int] = []
    for samples in batches(request.count) {
      let batch = SampleBatch(samples: samples.count, elements: denoiser.elementCount)
      let flow = try FlowBatch(self, batch)
      try await flow.begin(request, plan, samples: samples)
      values += try await flow.integrate(from: 1, to: end, divergence: nil).samples
      evaluations.append(flow.evaluations)
    }
    return Outcome(samples: SampleSet(shape: denoiser.sampleShape, values: values), evaluations: evaluations)
  }

  /// The log-likelihood of data under the flow: `ln p(x) = ln p_1(x(1)) + ∫ ∇·(dx/dt) dt` from `end` to 1, the divergence
  /// by Skilling's and Hutchinson's estimate `vᵀ J v` with random signs v, and J by central differences.
  ///
  /// - Parameters:
  ///   - data: samples at the time `end`, one after the other.
  ///   - probes: vectors v for each sample; more make the estimate better.
  ///   - seed: the seed of the probes.
  /// - Returns: ln p in nats, for each sample.
  /// - Throws: as `samples(_:)`.
  public func logLikelihood(of data: [Float], probes: Int = 1, seed: UInt64 = 0) async throws -> [Double] {
    try validate()
    let elements = denoiser.elementCount
    try require(probes > 0, "a likelihood needs at least one probe, not \(probes)")
    try require(
      !data.isEmpty && data.count.isMultiple(of: elements), "\(data.count) numbers are not samples of \(elements)",
      kind: .invalidData)
    try requireRange(data, "the data")
    var result: [Double] = []
    for samples in batches(data.count / elements) {
      let batch = SampleBatch(samples: samples.count, elements: elements)
      var sums = [Double](repeating: 0, count: samples.count)
      for probe in 0..<probes {
        let flow = try FlowBatch(self, batch)
        try await flow.begin(Array(data[samples.lowerBound * elements..<samples.upperBound * elements]))
        let signs = samples.flatMap { Self.signs(elements, seed: seed, sample: $0, probe: probe) }
        let end = try await flow.integrate(from: end, to: 1, divergence: signs)
        for (sample, change) in end.divergence.enumerated() {
          let noise = end.samples[sample * elements..<(sample + 1) * elements]
          sums[sample] += change + priorLogDensity(noise)
        }
      }
      result += sums.map { $0 / Double(probes) }
    }
    return result
  }

  /// ln of the normal density that samples start from.
  private func priorLogDensity(_ x: ArraySlice<Float>) -> Double {
    let variance = schedule.initialScale * schedule.initialScale
    let square = x.reduce(0.0) { $0 + Double($1) * Double($1) }
    return -0.5 * (square / variance + Double(x.count) * naturalLogarithm(2 * .pi * variance))
  }

  /// Random signs that depend on the sample, not on its batch.
  private static func signs(_ count: Int, seed: UInt64, sample: Int, probe: Int) -> [Float] {
    var generator = SplitMix64(seed: seed &+ UInt64(sample) &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(probe) << 48)
    return (0..<count).map { _ in generator.next() >> 63 == 0 ? 1 : -1 }
  }

  private func batches(_ count: Int) -> [Range<Int>] {
    let size = batchSize ?? max(1, (engine.device.kind == .gpu ? 1 << 24 : 1 << 18) / denoiser.elementCount)
    return stride(from: 0, to: count, by: size).map { $0..<min(count, $0 + size) }
  }

  private func validate() throws(DiffusionError) {
    try schedule.check()
    try require(
      absoluteTolerance > 0 && relativeTolerance >= 0 && absoluteTolerance.isFinite && relativeTolerance.isFinite,
      "the tolerances must be finite, the absolute one above 0")
    try require(end > 0 && end < 1, "the flow ends at a time between 0 and 1, not \(end)")
    if let batchSize { try require(batchSize > 0, "a batch needs at least one sample, not \(batchSize)") }
    try require(denoiser.prediction != .flow, "a denoiser that predicts the flow has no schedule of this kind")
  }
}

/// The Runge-Kutta pair of Dormand and Prince (1980): order 5 with an error estimate of order 4, six new evaluations a
/// step, the last of which is the next step's first.
enum DormandPrince {
  /// When each stage is, as a part of the step.
  static let times: [Double] = [0, 1.0 / 5, 3.0 / 10, 4.0 / 5, 8.0 / 9, 1, 1]

  /// How stages 2 … 7 are reached from the derivatives before them; the last row is the solution itself.
  static let weights: [[Double]] = [
    [1.0 / 5],
    [3.0 / 40, 9.0 / 40],
    [44.0 / 45, -56.0 / 15, 32.0 / 9],
    [19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729],
    [9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656],
    [35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84],
  ]

  /// The difference between the solutions of order 5 and 4.
  static let errors: [Double] = [
    71.0 / 57600, 0, -71.0 / 16695, 71.0 / 1920, -17253.0 / 339200, 22.0 / 525, -1.0 / 40,
  ]
}

/// Chooses the step of one sample by its own error: what one sample needs does not change another's result.
struct StepControl: Sendable {
  /// Where the sample is.
  private(set) var time: Double
  /// The step that is tried next; 0 at the end.
  private(set) var step: Double

  private let end: Double
  private var wasRejected = false

  init(from start: Double, to end: Double) {
    time = start
    self.end = end
    step = (end - start) / 100
  }

  var isDone: Bool { step == 0 }

  /// Whether no step is small enough.
  var isStuck: Bool { !isDone && abs(step) < 1e-12 }

  /// Takes the step if its error, relative to the tolerance, is at most 1, and chooses the next.
  /// - Returns: whether it was taken.
  mutating func judge(error: Double) -> Bool {
    let isTaken = error <= 1
    // Hairer, Nørsett and Wanner: a safety factor, and no larger step right after a rejected one.
    let factor = error.isFinite ? 0.9 * power(max(error, 1e-10), -0.2) : 0.1
    if isTaken { time += step }
    step *= min(max(factor, 0.2), wasRejected && isTaken ? 1 : 10)
    wasRejected = !isTaken
    if abs(end - time) < 1e-12 {
      step = 0
    } else if abs(step) > abs(end - time) {
      step = end - time
    }
    return isTaken
  }
}
