import Foundation
import Testing

@testable import Diffusion

/// The levels that samplers visit against those of diffusers' schedulers, with 1 to 50 steps.
@Suite struct GridGoldenTests {
  typealias Line = SchedulerGoldens.Line
  typealias Run = SchedulerGoldens.Run

  private static let lines = (try? SchedulerGoldens.grids.get())?.lines ?? []

  @Test func theFileHoldsTheGrids() throws {
    let lines = try SchedulerGoldens.grids.get().lines
    #expect(lines.count == 116)
    #expect(Set(lines.map(\.scheduler)).count == 14)
    for line in lines { #expect(line.runs.map(\.steps) == [1, 2, 3, 4, 7, 10, 50]) }
  }

  /// Runs that diffusers starts at timestep 0, where a model sees data: they would leave noise as it is.
  private static func startsAtData(_ run: Run) -> Bool { (run.timesteps?.first ?? 1) < 1e-9 }

  @Test(arguments: lines.filter(\.isRead)) func configurationsVisitWhatDiffusersDoes(line: Line) throws {
    // scipy's quantiles of the beta distribution.
    guard !line.config.flag("use_beta_sigmas") else {
      #expect(throws: (any Error).self) { try line.configuration() }
      return
    }
    let configuration = try line.configuration()
    for run in line.runs {
      let isChain = line.scheduler == "ScoreSdeVeScheduler"
      if run.error != nil || isChain && run.steps == 1 {
        #expect(throws: DiffusionError.self) { try configuration.plan(steps: run.steps) }
        continue
      }
      if Self.startsAtData(run) || isEmpty(line, run) {
        try expectNoise(configuration, line, run)
        continue
      }
      let grid = try configuration.grid(steps: run.steps)
      let times = isChain ? grid.levels.dropLast().map(\.time) : try told(configuration, run, grid)
      try expectTimes(times, line, run, lowest: isChain ? 0.01 : nil)
      try expectSigmas(grid, line, run)
    }
  }

  /// One step of UniPC from Karras' σmax to itself changes nothing.
  private func isEmpty(_ line: Line, _ run: Run) -> Bool {
    line.scheduler == "UniPCMultistepScheduler" && run.steps == 1 && run.sigmas.map { $0[0] == $0[1] } == true
  }

  /// A single step of linspace starts at the noisiest timestep, as one of trailing does; all else is refused.
  private func expectNoise(_ configuration: SchedulerConfiguration, _ line: Line, _ run: Run) throws {
    guard !isEmpty(line, run), let grid = try? configuration.grid(steps: run.steps) else {
      #expect(throws: DiffusionError.self) { try configuration.plan(steps: run.steps) }
      return
    }
    #expect(run.steps == 1 && line.config.text("timestep_spacing", default: "linspace") == "linspace")
    #expect(agree(grid.levels[0].alphaBar, try #require(configuration.schedule?.alphasBar.last), 1e-12))
  }

  /// What a network is told; of PNDM's list, which has the evaluations, by its plan.
  private func told(_ configuration: SchedulerConfiguration, _ run: Run, _ grid: TimeGrid) throws -> [Double] {
    guard configuration.className == "PNDMScheduler" else { return grid.levels.dropLast().map(\.time) }
    return try configuration.plan(steps: run.steps).updates.filter(\.evaluates).map(\.level.time)
  }

  private func expectTimes(
    _ found: [Double], _ line: Line, _ run: Run, lowest: Double? = nil, within tolerance: Double = 1e-5
  ) throws {
    var expected = try #require(run.timesteps)
    // Networks of the exploding chain are told σ of the time.
    if let lowest { expected = expected.map { lowest * pow(1348 / lowest, $0) } }
    // numpy.arange gives diffusers an eighth of seven trailing steps through 997, by rounding: the timestep -1.
    if expected.last == -1, line.config.text("timestep_spacing", default: "") == "trailing" { expected.removeLast() }
    #expect(found.count == expected.count, "\(line.file), \(run.steps) steps")
    for (index, (time, stored)) in zip(found, expected).enumerated() {
      let matches = [stored, run.timestepsInDouble?[index]].compactMap { $0 }
        .contains { abs(time - $0) <= tolerance * max(1, abs($0)) }
      #expect(matches, "\(line.file), \(run.steps) steps: \(time) at \(index), where diffusers is at \(stored)")
    }
  }

  private func expectSigmas(_ grid: TimeGrid, _ line: Line, _ run: Run) throws {
    let scale = try #require(run.initNoiseSigma)
    #expect(abs(grid.initialScale - scale) <= 1e-8 * scale)
    guard var sigmas = run.sigmas else { return }
    if line.scheduler == "ScoreSdeVeScheduler" { sigmas = sigmas.reversed() + [0] }
    // With a σ more than there are timesteps, samples never reach the 0.
    #expect(grid.levels.count == sigmas.count - (line.config.text("interpolation_type", default: "") == "" ? 0 : 1))
    for (level, stored) in zip(grid.levels, sigmas) {
      #expect(abs(level.exploding.sigma - stored) <= 1e-8 * stored, "\(line.file), \(run.steps) steps")
    }
  }

  // MARK: By name

  /// A sampler by name, and the scheduler that visits the same.
  struct Pair: Sendable, CustomTestStringConvertible {
    let name: SamplerName
    let file: String
    var testDescription: String { "\(name.rawValue): \(file)" }

    init(_ name: SamplerName, _ scheduler: String, _ config: String = "") {
      self.name = name
      file = #"{"_class_name":"\#(scheduler)"\#(config.isEmpty ? "" : "," + config)}"#
    }
  }

  static let linear = #""beta_end":0.02,"beta_start":0.0001"#
  static let karras = #""use_karras_sigmas":true"#

  /// Usual levels are those of the scheduler's defaults, with these exceptions, which are kept:
  ///
  /// - ddpm, ddim and plms step by linspace, not leading: leading starts below the noise that samples start from, the
  ///   lower the fewer steps; with 1 it starts at data. A model's own file still says leading, and is followed.
  /// - heun, edm and kdpm2 step by Karras' σ, which they were published with.
  static let pairs: [Pair] = [
    Pair(.ddpm, "DDPMScheduler", #""timestep_spacing":"linspace""#),
    Pair(.ddim, "DDIMScheduler", #""timestep_spacing":"linspace""#),
    Pair(.plms, "PNDMScheduler", #""skip_prk_steps":true,"timestep_spacing":"linspace""#),
    Pair(.dpmSolver1, "DPMSolverMultistepScheduler"), Pair(.dpmSolver2M, "DPMSolverMultistepScheduler"),
    Pair(.dpmSolver3M, "DPMSolverMultistepScheduler"),
    Pair(.sdeDPMSolver, "DPMSolverMultistepScheduler", #""algorithm_type":"sde-dpmsolver++""#),
    Pair(.dpmSolver2S, "DPMSolverSinglestepScheduler"), Pair(.unipc2, "UniPCMultistepScheduler"),
    Pair(.unipc3, "UniPCMultistepScheduler"), Pair(.euler, "EulerDiscreteScheduler"),
    Pair(.eulerAncestral, "EulerAncestralDiscreteScheduler"), Pair(.lms, "LMSDiscreteScheduler"),
    Pair(.heun, "HeunDiscreteScheduler", linear + "," + karras),
    Pair(.edm, "HeunDiscreteScheduler", linear + "," + karras),
    Pair(.kdpm2, "KDPM2DiscreteScheduler", linear + "," + karras), Pair(.lcm, "LCMScheduler"),
  ]

  @Test(arguments: pairs) func namesVisitWhatDiffusersDoes(pair: Pair) throws {
    let line = try #require(try SchedulerGoldens.grids.get().lines.first { $0.file == pair.file })
    for run in line.runs {
      let method = SamplingMethod(pair.name, steps: run.steps)
      let grid = try method.grid(prediction: .epsilon)
      #expect(grid.steps == run.steps)
      guard run.steps > 1 || !Self.startsAtData(run) else {
        #expect(agree(grid.levels[0].time, 999, 1e-12) && grid.levels[1].sigma == 0)
        continue
      }
      switch pair.name {
      case .plms: try expectTimes(evaluations(method), line, run)
      // Heun's list has every level but the first twice. KDPM2's has the levels halfway in between; diffusers rounds the
      // others, k-diffusion does not.
      case .heun, .edm:
        let times = grid.levels.dropLast().map(\.time)
        try expectTimes([times[0]] + times.dropFirst().flatMap { [$0, $0] }, line, run)
      case .kdpm2: try expectTimes(evaluations(method), line, run, within: 0.5)
      default:
        try expectTimes(grid.levels.dropLast().map(\.time), line, run)
        if pair.name != .lcm { try expectSigmas(grid, line, run) }
      }
    }
  }

  private func evaluations(_ method: SamplingMethod) throws -> [Double] {
    try method.plan(prediction: .epsilon).updates.filter(\.evaluates).map(\.level.time)
  }

  /// diffusers' flow matching has evenly spaced σ from 1 to 1/1000, so that its last evaluation, at 1/1000, changes next to
  /// nothing; the pipelines of flow models give it σ to 1/S instead, which the sampler by name has.
  @Test func flowsTakeStepsOfOneLength() throws {
    for steps in [1, 2, 3, 4, 7, 10, 50] {
      let grid = try SamplingMethod(.flowEuler, steps: steps).grid(prediction: .flow)
      #expect(grid.levels.count == steps + 1)
      for (index, level) in grid.levels.enumerated() {
        #expect(abs(level.sigma - Double(steps - index) / Double(steps)) < 1e-12)
      }
    }
  }

  /// Every step of every sampler by name asks the network where there is noise to remove.
  @Test(arguments: SamplerName.allCases) func noLastEvaluationDoesNothing(name: SamplerName) throws {
    for steps in [4, 7, 10] {
      var method = SamplingMethod(name, steps: steps)
      let prediction: Prediction = name == .flowEuler ? .flow : .epsilon
      if method.needsGamma {
        let levels = try method.grid(prediction: prediction).levels.dropLast()
        method.gamma = try .gaussian(dataVariance: 0.25, levels: Array(levels))
      }
      let last = try #require(method.plan(prediction: prediction).updates.last { $0.evaluates })
      let weight = last.x0 * last.conversion.x0FromOutput + last.epsilon * last.conversion.epsilonFromOutput
      #expect(weight != 0, "\(name.rawValue), \(steps) steps")
    }
  }
}
