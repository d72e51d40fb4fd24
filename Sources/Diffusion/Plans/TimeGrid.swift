/// The levels a sampler visits, from noise to data, and what its denoiser predicts: all a planner needs to know.
public struct TimeGrid: Sendable, Hashable {
  /// S + 1 levels for S steps; the last is where the samples end.
  public var levels: [NoiseLevel]
  /// What the denoiser predicts.
  public var prediction: Prediction
  /// What is done to x0.
  public var clipping: Clipping
  /// Whether a network sees `level.unitScale · x` rather than x.
  public var scalesInput: Bool
  /// Standard deviation of the initial noise.
  public var initialScale: Double

  /// A grid from its levels.
  public init(
    levels: [NoiseLevel], prediction: Prediction = .epsilon, clipping: Clipping = .none, scalesInput: Bool = false,
    initialScale: Double? = nil
  ) {
    self.levels = levels
    self.prediction = prediction
    self.clipping = clipping
    self.scalesInput = scalesInput
    self.initialScale = initialScale ?? levels.first.map { ($0.sigma) } ?? 1
  }

  /// Steps from the first level to the last.
  public var steps: Int { levels.count - 1 }

  /// An update from one level to another with this grid's denoiser; its factors are still zero.
  public func update(from level: NoiseLevel, to next: NoiseLevel) -> PlannedUpdate {
    var update = PlannedUpdate(from: level, to: next, prediction: prediction)
    update.clipping = clipping
    update.inputScale = scalesInput ? level.unitScale : 1
    return update
  }
}

/// Turns a grid of levels into coefficients. A planner never sees a sample.
public protocol Planner: Sendable {
  /// The coefficients of every step.
  /// - Throws: `DiffusionError` if the grid or the denoiser's prediction does not suit the method.
  func plan(_ grid: TimeGrid) throws(DiffusionError) -> SamplingPlan
}
