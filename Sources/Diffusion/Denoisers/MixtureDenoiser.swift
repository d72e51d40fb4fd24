public import Engine
internal import Networks

/// The exact denoiser of a Gaussian mixture, of one Gaussian, or of a data set: it needs no weights, and what it predicts,
/// the mean of x0 given x, is what a perfectly trained network would.
///
/// `x0 = Σ_k softmax_k(ln w_k - d/2 ln v_k - ‖x - α μ_k‖² / (2 v_k)) · (μ_k + α s_k² / v_k · (x - α μ_k))` with
/// `v_k = α² s_k² + σ²`; points of a data set have s_k = 0. Nothing of the size samples × components is stored. Inner
/// products are in float32: bring data to zero mean and unit size.
public struct MixtureDenoiser: Denoiser {
  /// The sizes of one sample.
  public let sampleShape: [Int]
  /// The clean sample.
  public let prediction = Prediction.sample
  /// How many components, or points.
  public let componentCount: Int

  /// How many different deviations the components may have: each makes a part of the mixture that is summed alone, and
  /// what the parts add up to lies in a device's local memory.
  public static let deviationLimit = Mixture.chunkLimit

  private let mixture: Mixture
  private let engine: Engine

  /// The denoiser of a data set: every point is equally likely.
  ///
  /// - Parameters:
  ///   - points: the data, point by point.
  ///   - shape: the sizes of one point.
  ///   - engine: the device that will compute; the points are copied there.
  /// - Throws: `DiffusionError` if a number is not finite or the sizes do not fit; `EngineError` if there is no room.
  public init(points: [Float], shape: [Int], on engine: Engine) async throws {
    try await self.init(means: points, shape: shape, deviations: nil, weights: nil, on: engine)
  }

  /// The denoiser of a Gaussian N(mean, deviation² · I).
  ///
  /// - Parameters:
  ///   - mean: the mean.
  ///   - deviation: the standard deviation of each element.
  ///   - shape: the sizes of one sample.
  ///   - engine: the device that will compute.
  /// - Throws: `DiffusionError` if a number is not finite or the sizes do not fit; `EngineError` if there is no room.
  public init(mean: [Float], deviation: Float, shape: [Int], on engine: Engine) async throws {
    try await self.init(means: mean, shape: shape, deviations: [deviation], weights: nil, on: engine)
  }

  /// The denoiser of a mixture of Gaussians N(mean_k, deviation_k² · I).
  ///
  /// - Parameters:
  ///   - means: the means, component by component.
  ///   - shape: the sizes of one mean.
  ///   - deviations: the components' standard deviations, `deviationLimit` different ones at most; all 0 if nil.
  ///   - weights: the components' weights, of any sum; all equal if nil.
  ///   - engine: the device that will compute.
  /// - Throws: `DiffusionError` if a number is not finite or the sizes do not fit; `EngineError` if there is no room.
  public init(
    means: [Float], shape: [Int], deviations: [Float]?, weights: [Float]?, on engine: Engine
  ) async throws {
    try Self.check(means, shape: shape)
    let elements = shape.reduce(1, *)
    let count = means.count / elements
    let deviations = deviations ?? [Float](repeating: 0, count: count)
    let weights = weights ?? [Float](repeating: 1, count: count)
    try require(
      deviations.count == count && weights.count == count,
      "\(count) components have \(deviations.count) deviations and \(weights.count) weights", kind: .invalidData)
    try require(
      (deviations + weights).allSatisfy { $0 >= 0 && $0.isFinite } && weights.contains { $0 > 0 },
      "deviations and weights must be finite and not negative, one weight above 0", kind: .invalidData)
    try requireRange(deviations, "the list of deviations")

    // Components of one variance stand together.
    let order = (0..<count).sorted { (deviations[$0], $0) < (deviations[$1], $1) }
    var groups: [MixtureGroup] = []
    for component in order {
      let variance = deviations[component] * deviations[component]
      if groups.last?.variance == variance {
        groups[groups.count - 1].components += 1
      } else {
        groups.append(MixtureGroup(components: 1, variance: variance))
      }
    }
    try require(
      groups.count <= Self.deviationLimit,
      "\(groups.count) components have different deviations; at most \(Self.deviationLimit) can: round them",
      kind: .invalidData)
    let isSorted = order == Array(0..<count)
    let ordered = isSorted ? means : order.flatMap { means[$0 * elements..<($0 + 1) * elements] }
    mixture = try await Self.load(
      Vectors(ordered, dimension: elements), groups: groups,
      logWeights: order.map { Float(naturalLogarithm(Double(weights[$0]))) }, on: engine)
    self.engine = engine
    sampleShape = shape
    componentCount = count
  }

  /// Brings means to the device, or says how much room they would need.
  private static func load(
    _ means: Vectors, groups: [MixtureGroup], logWeights: [Float], on engine: Engine
  ) async throws(EngineError) -> Mixture {
    do { return try await engine.makeMixture(means: means, groups: groups, logWeights: logWeights) } catch {
      guard error.kind == .exhausted else { throw error }
      // As rows, and as columns in whole panels.
      let bytes = 4 * means.dimension * (means.count + engine.weightLayout.columns(means.count))
      throw EngineError(
        .exhausted,
        "\(means.count) points of \(means.dimension) numbers take at least \(bytes >> 20) MiB on the device, which has no "
          + "room: take fewer or smaller points (\(error.message))")
    }
  }

  /// Checks points, or means, without a device.
  ///
  /// - Parameters:
  ///   - points: point by point.
  ///   - shape: the sizes of one point.
  /// - Throws: `DiffusionError` if there are none, they do not fit the shape, or a number is not finite or so large that
  ///   its square leaves float32's range.
  public static func check(_ points: [Float], shape: [Int]) throws(DiffusionError) {
    let elements = shape.reduce(1, *)
    try require(
      !shape.isEmpty && shape.allSatisfy { $0 > 0 } && !points.isEmpty && points.count.isMultiple(of: elements),
      "\(points.count) numbers are not samples of shape \(shape)", kind: .invalidData)
    if let bad = points.firstIndex(where: { !$0.isFinite }) {
      throw DiffusionError(
        .invalidData, "sample \(bad / elements) has \(points[bad]) as element \(bad % elements): not a finite number")
    }
    try requireRange(points, "the data")
  }

  /// The posterior means of a batch, computed on the device.
  public func evaluate(_ call: DenoiserCall) async throws -> [Float] {
    try await answer(call, on: engine)
  }
}

extension MixtureDenoiser: DeviceDenoiser {
  package func makeEvaluation(for batch: SampleBatch) throws(EngineError) -> any DeviceEvaluation {
    MixtureEvaluation(
      mixture: mixture, batch: batch, partials: try engine.makePartials(rows: batch.samples, of: mixture))
  }

  package func bytes(samples: Int) -> Int {
    4 * samples * mixture.chunkCount * Mixture.partialWidth(channels: elementCount)
  }
}

private struct MixtureEvaluation: DeviceEvaluation {
  let mixture: Mixture
  let batch: SampleBatch
  let partials: Tensor

  func append(
    x: Tensor, at rows: CoefficientRows, into output: Tensor, to submission: inout Submission
  ) throws(EngineError) {
    let mean = PosteriorMean(
      HeadSlices(x, channels: batch.elements), rows: batch.samples, mixture: mixture, levels: rows,
      partials: partials, into: output)
    for operation in mean.operations { try submission.append(operation) }
  }
}
