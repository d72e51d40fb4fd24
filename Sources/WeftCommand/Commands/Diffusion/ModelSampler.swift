import ArgumentParser
import Diffusion
import Weft

/// How samples of a model are drawn: as its own files say, or by a sampler that was named.
struct ModelSampler {
  /// What diffusers' pipelines take where nothing is said.
  private static let usualSteps = 50

  private let scheduler: SchedulerConfiguration
  private let steps: Int
  private let strength: Double
  /// The sampler that was named; nil for the model's own.
  var method: SamplingMethod?

  /// - Throws: `ValidationError` for options that make no sense together or with the model.
  init(_ command: SampleCommand, _ files: DiffusionModelFiles) throws {
    scheduler = files.scheduler
    strength = command.samples.stepShare
    guard command.method.sampler != nil else {
      // Song et al.'s sampler is made for all steps of its process.
      steps = command.method.steps ?? (scheduler.schedule == nil ? scheduler.trainingTimesteps : Self.usualSteps)
      try check(command)
      return
    }
    steps = command.method.steps ?? MethodOptions.usualSteps
    guard scheduler.schedule != nil else {
      throw ValidationError("--sampler: the model's own, \(scheduler.className), is the only one for its process")
    }
    var method = try checkingOptions { [scheduler] () throws(DiffusionError) in
      var method = try command.method.method(
        noise: command.noise, prediction: scheduler.prediction,
        clipping: command.clipping.clipping(usual: scheduler.clipping(for: command.method.name)))
      scheduler.adapt(&method)
      return method
    }
    method.strength = strength
    if method.needsSecondHead, files.outputHeads == 1 {
      throw ValidationError("'\(method.name.rawValue)' needs a network with a second output, which this one has not")
    }
    if method.needsGamma {
      method.gamma = try command.gamma.gamma.map { try GammaFile.read($0) }
      method.varianceCap = command.gamma.varianceCap
      guard method.gamma != nil || command.data.data != nil || command.network.dryRun else {
        throw ValidationError(
          "the analytic variance needs Γ: give --gamma FILE, or images to estimate it from as --data FILE.npy")
      }
    } else if let option = command.gamma.given.first {
      throw ValidationError("\(option) is for the analytic variance, which '\(method.name.rawValue)' does not use here")
    }
    self.method = method
    try check(command)
  }

  private func check(_ command: SampleCommand) throws {
    let grid = try grid()
    if let problem = command.samples.problem(steps: grid.steps) { throw ValidationError(problem) }
    _ = try checkedPlan()
  }

  /// For titles and reports.
  var title: String { method?.name.rawValue ?? scheduler.className }

  /// Whether Γ is still to be estimated.
  var lacksGamma: Bool { method?.needsGamma == true && method?.gamma == nil }

  /// The levels that are visited, whole.
  func grid() throws -> TimeGrid {
    try checkingOptions { () throws(DiffusionError) in
      if let method { return try method.grid(prediction: scheduler.prediction) }
      return try scheduler.grid(steps: steps)
    }
  }

  /// The coefficients of every step.
  func plan() throws -> SamplingPlan {
    try checkingOptions { () throws(DiffusionError) in
      if let method { return try method.plan(prediction: scheduler.prediction) }
      return try scheduler.plan(steps: steps, strength: strength)
    }
  }

  /// The same, with any Γ where it is still to be estimated.
  func checkedPlan() throws -> SamplingPlan {
    guard lacksGamma else { return try plan() }
    var tried = self
    tried.method?.gamma = try .gaussian(dataVariance: 1, levels: try grid().levels.dropLast())
    return try tried.plan()
  }
}
