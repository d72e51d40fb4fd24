import CPUBackend
import Diffusion
import Engine
import Logging
import Networks
import Testing

/// Mixtures as models load them.
@Suite struct MixtureTests {
  private func engine(_ backend: TestBackend) throws -> Engine {
    Engine(backend: try backend.open(), logger: Logger(label: "test"))
  }

  /// The posterior mean of one Gaussian is linear: μ + α s² / v · (x - α μ).
  @Test(arguments: [TestBackend.reference] + TestBackend.devices)
  func oneGaussian(_ backend: TestBackend) async throws {
    let engine = try engine(backend)
    let mixture = try await engine.makeMixture(
      means: try Vectors([0.5, -0.25], dimension: 2), groups: [MixtureGroup(components: 1, variance: 0.25)])
    let samples = try await engine.upload(.float32([1, -1, 0, 2]), shape: [2, 2])
    var row = CoefficientRow()
    row[.alpha] = 0.8
    row[.sigma] = 0.6
    let out = try engine.makeTensor(.float32, 2, 2)
    let mean = PosteriorMean(
      HeadSlices(samples, channels: 2), rows: 2, mixture: mixture,
      levels: CoefficientRows(try await engine.upload(.float32(row.elements), shape: [1, CoefficientRow.width])),
      partials: try engine.makePartials(rows: 2, of: mixture), into: out)
    var submission = Submission()
    for operation in mean.operations { try submission.append(operation) }
    try submission.download(out)
    let result = try await engine.run(submission)[0].floats
    let gain = 0.8 * 0.25 / (0.64 * 0.25 + 0.36)
    for (at, x) in [1.0, -1, 0, 2].enumerated() {
      let mu = [0.5, -0.25][at % 2]
      #expect(abs(Double(result[at]) - (mu + gain * (x - 0.8 * mu))) < 1e-6)
    }
  }

  struct BadMixture: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let groups: [MixtureGroup]
    var logWeights: [Float]?
  }

  static let badMixtures = [
    BadMixture(testDescription: "groups too small", groups: [.init(components: 2, variance: 0)]),
    BadMixture(
      testDescription: "an empty group",
      groups: [.init(components: 0, variance: 0), .init(components: 3, variance: 0)]),
    BadMixture(testDescription: "negative variance", groups: [.init(components: 3, variance: -1)]),
    BadMixture(testDescription: "infinite variance", groups: [.init(components: 3, variance: .infinity)]),
    BadMixture(testDescription: "too few weights", groups: [.init(components: 3, variance: 0)], logWeights: [0, 0]),
    BadMixture(testDescription: "weight NaN", groups: [.init(components: 3, variance: 0)], logWeights: [0, 0, .nan]),
    BadMixture(
      testDescription: "infinite weight", groups: [.init(components: 3, variance: 0)], logWeights: [0, 0, .infinity]),
    BadMixture(
      testDescription: "all switched off", groups: [.init(components: 3, variance: 0)],
      logWeights: [Float](repeating: -.infinity, count: 3)),
  ]

  @Test(arguments: badMixtures) func contradictionsAreRefused(_ bad: BadMixture) async throws {
    let engine = try engine(.reference)
    let error = await #expect(throws: EngineError.self) {
      _ = try await engine.makeMixture(
        means: try Vectors([1, 2, 3], dimension: 1), groups: bad.groups, logWeights: bad.logWeights)
    }
    #expect(error?.kind == .invalidOperation)
  }
}
