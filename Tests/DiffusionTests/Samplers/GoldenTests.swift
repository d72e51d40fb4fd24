import Testing

@testable import Diffusion

/// Every stored run of diffusers, step by step.
@Suite struct GoldenTests {
  static let tolerance = 1e-4

  /// Runs in which diffusers' single precision moves samples by more than the tolerance, and by how much. The same runs
  /// in double precision, stored beside them, are met to nine digits.
  ///
  /// All take 1 - ᾱ or 1 - ᾱ/ᾱ' of timesteps where ᾱ is close to 1 or to ᾱ', or e^(-2h) of a small h.
  static let rounding: [String: Double] = [
    "ddpm-7": 1.5e-4, "ddpm-learned-range": 1.3e-3, "ddpm-cosine-trailing": 1.5e-4,
    "ddpm-sigmoid": 4e-4, "ddpm-sample": 3e-4, "ddpm-custom": 6e-4, "ddim-eta-one": 1.5e-4, "dpm++2m-1": 1.1e-4,
    "sde-dpm++2m-karras-25": 1.2e-3, "unipc3-sigma-min": 1.3e-4, "unipc2-1": 1.1e-4, "euler-1": 1.3e-4,
  ]

  /// How far our samples are from diffusers', and a plan of what it does instead.
  struct Mistake: Sendable {
    let deviation: ClosedRange<Double>
    let repeated: @Sendable (DiffusersMapping) throws -> SamplingPlan
  }

  /// Runs in which diffusers departs from its method.
  static let mistakes: [String: Mistake] = [
    "ddim-trailing-7": Mistake(deviation: 0.019...0.021, repeated: DiffusersMistakes.ddim),
    "ddim-linspace-25": Mistake(deviation: 0.034...0.036, repeated: DiffusersMistakes.ddim),
    "euler-churn": Mistake(deviation: 11...13, repeated: DiffusersMistakes.churn),
    "plms-v-one": Mistake(deviation: 0.29...0.30, repeated: DiffusersMistakes.velocitySums),
  ]

  private static func names(where isIncluded: (DiffusersGolden) -> Bool = { _ in true }) -> [String] {
    // A file that cannot be read fails `theFileHoldsTheRuns`.
    ((try? DiffusersGoldens.stored.get())?.runs ?? []).filter(isIncluded).map(\.name)
  }

  private func run(_ name: String) throws -> GoldenRun {
    let stored = try DiffusersGoldens.stored.get()
    return GoldenRun(try #require(stored.runs.first { $0.name == name }), elements: stored.elements)
  }

  @Test func theFileHoldsTheRuns() throws {
    let stored = try DiffusersGoldens.stored.get()
    #expect(stored.runs.count == 111)
    let names = Set(stored.runs.map(\.name))
    #expect(names.isSuperset(of: Self.rounding.keys) && names.isSuperset(of: Self.mistakes.keys))
    for run in stored.runs {
      #expect(run.config.keys.isSubset(of: DiffusersMapping.knownKeys), "\(run.name)")
    }
  }

  @Test(arguments: names { mistakes[$0.name] == nil })
  func samplesAreThoseOfDiffusers(name: String) throws {
    let run = try run(name)
    let found = try run.samples()
    #expect(found.count == run.golden.timesteps.count)
    #expect(found.allSatisfy { $0.allSatisfy(\.isFinite) })
    let deviation = GoldenRun.deviation(found, from: run.golden.samples)
    #expect(deviation < Self.rounding[name] ?? Self.tolerance)
    if let double = run.golden.double { #expect(GoldenRun.deviation(found, from: double) < 1e-8) }
    // What is excused by rounding has to be shown without it.
    if Self.rounding[name] != nil { #expect(deviation > Self.tolerance && run.golden.double != nil) }
  }

  /// By name the sampler makes the plan of the stored run, with the times that a network is told halfway.
  @Test func kdpm2ByNameIsThatOfTheRun() throws {
    let run = try run("kdpm2")
    var method = SamplingMethod(try #require(SamplerName(spelled: "DPM_2")), steps: run.mapping.steps)
    method.schedule = .discrete(try run.mapping.schedule())
    method.spacing = .linspace
    #expect(try method.plan(prediction: .epsilon) == run.plan())
  }

  /// The runs about clipping would be others without it.
  @Test(arguments: names { $0.startScale > 1 }) func clippingMatters(name: String) throws {
    let run = try run(name)
    var grid = try run.mapping.grid()
    #expect(grid.clipping != .none)
    grid.clipping = .none
    let unclipped = run.samples(of: try run.mapping.planner().plan(grid))
    #expect(GoldenRun.deviation(unclipped, from: run.golden.samples) > 1e-2)
  }

  /// In this run diffusers multiplies an infinite B(h) by 0; every other run is finite to its end.
  @Test(arguments: names()) func diffusersIsFinite(name: String) throws {
    let golden = try run(name).golden
    #expect(golden.samples.count == golden.timesteps.count - (name == "unipc2-bh1-to-zero" ? 1 : 0))
  }

  @Test(arguments: mistakes.keys.sorted()) func mistakesAreNotRepeated(name: String) throws {
    let run = try run(name)
    let mistake = try #require(Self.mistakes[name])
    let deviation = GoldenRun.deviation(try run.samples(), from: run.golden.samples)
    #expect(mistake.deviation.contains(deviation), "\(deviation)")

    let repeated = run.samples(of: try mistake.repeated(run.mapping))
    if let double = run.golden.double {
      #expect(GoldenRun.deviation(repeated, from: double) < 1e-8)
    } else {
      #expect(GoldenRun.deviation(repeated, from: run.golden.samples) < Self.tolerance)
    }
  }

  @Test(arguments: names()) func gridsAreThoseOfDiffusers(name: String) throws {
    let run = try run(name)
    let grid = try run.mapping.grid()
    let golden = run.golden
    let scale = run.mapping.dataDeviation
    #expect(abs(grid.initialScale * scale - golden.initNoiseSigma) < 1e-4 * golden.initNoiseSigma)
    // Heun, KDPM2 and PNDM list a timestep for each evaluation.
    guard !run.mapping.countsEvaluations else { return }
    let times = grid.levels.prefix(golden.timesteps.count).map(\.time)
    #expect(times.count == golden.timesteps.count)
    // Found through a logarithm in single precision.
    for (time, stored) in zip(times, golden.timesteps) { #expect(abs(time - stored) < 1e-2) }
    // Consistency models and DDIM have none, and flow levels are not of α = 1.
    guard let sigmas = golden.sigmas, grid.prediction != .flow else { return }
    for (level, stored) in zip(grid.levels, sigmas) {
      #expect(abs(level.exploding.sigma * scale - stored) <= 5e-4 * stored)
    }
  }
}
