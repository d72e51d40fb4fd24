import Foundation

@testable import Diffusion

/// One line of diffusers.jsonl: a scheduler's run as Goldens/make_diffusers_goldens.py describes it.
struct DiffusersGolden: Decodable, Sendable {
  let name: String
  let scheduler: String
  let config: DiffusersSettings
  let setTimesteps: DiffusersSettings
  let step: DiffusersSettings
  let timesteps: [Double]
  let sigmas: [Double]?
  let initNoiseSigma: Double
  /// What the start is multiplied by besides the initial noise's size.
  let startScale: Double
  /// How far single precision moved a sample from the same run in double precision.
  let rounding: Double
  /// After every call of `step()`.
  let samples: [[Double]]
  /// The same in double precision, where it differs noticeably.
  let double: [[Double]]?

  private enum CodingKeys: String, CodingKey {
    case name, scheduler, config, step, timesteps, sigmas, rounding, samples, double
    case setTimesteps = "set_timesteps"
    case initNoiseSigma = "init_noise_sigma"
    case startScale = "start_scale"
  }

  /// The batch that every run works on has this many elements, a fourth of them in each sample.
  static let batchSize = 768

  /// Element f of arange(768) / 768 as (3, 8, 8, 4), its last axis moved to the front.
  static let start = (0..<batchSize).map { (element: Int) -> Double in
    let place = (element % 192) * 4 + element / 192
    return Double(place) / 768
  }

  /// The toy denoiser.
  static func model(_ x: [Double], _ level: NoiseLevel) -> [Double] {
    x.map { $0 * level.time / (level.time + 1) }
  }

  /// Its second output.
  static func secondOutput(_ x: [Double], _ level: NoiseLevel) -> [Double] { x.map { cos(3 * $0) } }

  /// What stands in for normal noise.
  static func noise(call: Int, element: Int) -> Double {
    let phase = 0.9 + 2.3 * Double(call) + 0.7 * Double(element)
    return 2.0.squareRoot() * cos(phase)
  }
}

/// The stored runs.
struct DiffusersGoldens: Sendable {
  let elements: [Int]
  let runs: [DiffusersGolden]

  private struct Header: Decodable { let elements: [Int] }

  static let stored: Result<DiffusersGoldens, any Error> = Result { try DiffusersGoldens() }

  private init() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let file = try String(contentsOf: folder.appending(path: "Goldens/diffusers.jsonl"), encoding: .utf8)
    let lines = file.split(separator: "\n").map { Data($0.utf8) }
    elements = try JSONDecoder().decode(Header.self, from: lines.first ?? Data()).elements
    runs = try lines.dropFirst().map { try JSONDecoder().decode(DiffusersGolden.self, from: $0) }
  }
}

/// Settings of a diffusers scheduler, as its scheduler_config.json has them: what is missing has the scheduler's default.
struct DiffusersSettings: Decodable, Sendable {
  enum Value: Decodable, Sendable {
    case flag(Bool)
    case number(Double)
    case text(String)
    case numbers([Double])

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let flag = try? container.decode(Bool.self) {
        self = .flag(flag)
      } else if let number = try? container.decode(Double.self) {
        self = .number(number)
      } else if let text = try? container.decode(String.self) {
        self = .text(text)
      } else {
        self = .numbers(try container.decode([Double].self))
      }
    }
  }

  private let values: [String: Value]

  init(from decoder: any Decoder) throws { values = try decoder.singleValueContainer().decode([String: Value].self) }

  var keys: Set<String> { Set(values.keys) }

  func flag(_ key: String, default value: Bool = false) -> Bool {
    if case .flag(let flag) = values[key] { flag } else { value }
  }

  func number(_ key: String, default value: Double) -> Double {
    if case .number(let number) = values[key] { number } else { value }
  }

  func count(_ key: String, default value: Int) -> Int { Int(number(key, default: Double(value))) }

  func text(_ key: String, default value: String) -> String {
    if case .text(let text) = values[key] { text } else { value }
  }

  func numbers(_ key: String) -> [Double]? { if case .numbers(let numbers) = values[key] { numbers } else { nil } }
}

/// A stored run, followed by a plan.
struct GoldenRun {
  let golden: DiffusersGolden
  let elements: [Int]
  let mapping: DiffusersMapping

  init(_ golden: DiffusersGolden, elements: [Int]) {
    self.golden = golden
    self.elements = elements
    mapping = DiffusersMapping(
      scheduler: golden.scheduler, config: golden.config, setTimesteps: golden.setTimesteps, step: golden.step)
  }

  func plan() throws -> SamplingPlan { try mapping.planner().plan(mapping.grid()) }

  /// The stored elements after every step that diffusers counts.
  func samples() throws -> [[Double]] { samples(of: try plan()) }

  /// The same of another plan.
  func samples(of plan: SamplingPlan) -> [[Double]] {
    let plan = mapping.countsEvaluations ? Self.finishingEvaluations(plan) : plan
    // The call of step() that an instruction belongs to: the steps finished before it.
    let calls = plan.updates.indices.map { index in plan.updates[..<index].count { $0.finishesStep } }
    var executor = PlanExecutor(sampleSize: DiffusersGolden.batchSize / 4, denoiser: DiffusersGolden.model)
    executor.secondOutput = DiffusersGolden.secondOutput
    executor.scalesInput = true
    executor.noise = { instruction, element in
      // Samples here are those of diffusers divided by σ_data, and so is their noise; no run with σ_data draws any.
      DiffusersGolden.noise(call: calls[instruction], element: element)
    }
    let start = DiffusersGolden.start.map { $0 * plan.initialScale * golden.startScale }
    return executor.trajectory(plan, from: start).map { sample in
      elements.map { sample[$0] * mapping.dataDeviation }
    }
  }

  /// The plan with a sample after all that follows an evaluation, before the next one.
  private static func finishingEvaluations(_ plan: SamplingPlan) -> SamplingPlan {
    var updates = plan.updates
    for index in updates.indices {
      updates[index].finishesStep = index + 1 == updates.count || updates[index + 1].evaluates
    }
    return SamplingPlan(updates.map { .update($0) }, start: plan.start, initialScale: plan.initialScale)
  }

  /// The largest difference over all steps, relative to a sample's value or, where that is small, to a hundredth of the
  /// step's largest sample: rounding in single precision is relative to the terms that are added up, not to a sum near 0.
  static func deviation(_ found: [[Double]], from stored: [[Double]]) -> Double {
    var worst = 0.0
    for (found, stored) in zip(found, stored) {
      let floor = 0.01 * stored.reduce(1e-30) { max($0, abs($1)) }
      for (one, other) in zip(found, stored) {
        let deviation = abs(one - other) / max(abs(other), floor)
        worst = deviation.isNaN ? .infinity : max(worst, deviation)
      }
    }
    return worst
  }
}
