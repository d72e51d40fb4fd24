import Engine
import Foundation
import Testing

/// Twenty steps of AdamW with clipping and decay, beside PyTorch's (Goldens/make_adamw_golden.py).
@Suite struct AdamWGoldenTests {
  @Test(arguments: AdamWGolden.names) func referenceFollowsPyTorch(_ name: String) async throws {
    try await follow(name, on: .reference)
  }

  @Test(.needsDevice, arguments: AdamWGolden.names, TestBackend.devices)
  func deviceFollowsPyTorch(_ name: String, _ backend: TestBackend) async throws {
    try await follow(name, on: backend)
  }

  private func follow(_ name: String, on backend: TestBackend) async throws {
    let golden = try #require(try AdamWGolden.stored().first { $0.name == name })
    let run = try await GoldenRun(golden, on: try backend.open())
    for (index, step) in golden.steps.enumerated() {
      let parameters = try await run.take(step, number: index + 1)
      // PyTorch rounds a parameter twice a step; ten units in the last place of numbers up to 4 are half of what forty
      // roundings can add up to.
      expect(parameters, near: step.parameters, within: 2.4e-6, "parameters after step \(index + 1)")
    }
    let (first, second) = try await run.moments()
    expect(first, near: golden.firstMoments, within: 3e-8, "first moments")
    expect(second, near: golden.secondMoments, within: 5e-9, "second moments")
  }

  private func expect(_ got: [[Float]], near expected: [[Float]], within tolerance: Float, _ what: String) {
    #expect(got.map(\.count) == expected.map(\.count))
    for (values, exact) in zip(got, expected) {
      let worst = zip(values, exact).map { abs($0 - $1) }.max() ?? .infinity
      let isFinite = values.allSatisfy(\.isFinite)
      #expect(isFinite && worst <= tolerance, "\(what) differ by \(worst)")
    }
  }
}

/// A run of PyTorch's optimiser over several tensors.
struct AdamWGolden: Decodable, Sendable {
  struct Step: Decodable, Sendable {
    let learningRate: Double
    let gradients: [[Float]]
    let parameters: [[Float]]
  }

  let name: String
  let beta1: Double
  let beta2: Double
  let epsilon: Double
  let weightDecay: Double
  /// Nothing is clipped without one.
  let maximumNorm: Double?
  let start: [[Float]]
  let steps: [Step]
  let firstMoments: [[Float]]
  let secondMoments: [[Float]]

  static let names = ["defaults", "strong decay", "no clipping"]

  static func stored() throws -> [AdamWGolden] {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens/adamw.json")
    return try JSONDecoder().decode([AdamWGolden].self, from: Data(contentsOf: file))
  }
}

/// The tensors of a run on a device.
private struct GoldenRun {
  private let golden: AdamWGolden
  private let backend: any Backend
  private let parameters: [Tensor]
  private let gradients: [Tensor]
  private let firstMoments: [Tensor]
  private let secondMoments: [Tensor]
  /// Sums of squares of all gradients.
  private let squares: Tensor

  init(_ golden: AdamWGolden, on backend: any Backend) async throws {
    self.golden = golden
    self.backend = backend
    func tensors() throws -> [Tensor] { try golden.start.map { try backend.makeTensor(.float32, [$0.count]) } }
    parameters = try tensors()
    gradients = try tensors()
    firstMoments = try tensors()
    secondMoments = try tensors()
    squares = try backend.makeTensor(.float32, [gradients.reduce(0) { $0 + SquareSum.slots(for: $1) }])
    var submission = Submission()
    for (index, values) in golden.start.enumerated() {
      try submission.upload(.float32(values), to: parameters[index])
      let zeros = HostArray.float32([Float](repeating: 0, count: values.count))
      try submission.upload(zeros, to: firstMoments[index])
      try submission.upload(zeros, to: secondMoments[index])
    }
    _ = try await backend.run(submission)
  }

  /// The parameters after one more step.
  func take(_ step: AdamWGolden.Step, number: Int) async throws -> [[Float]] {
    var submission = Submission()
    for (tensor, values) in zip(gradients, step.gradients) { try submission.upload(.float32(values), to: tensor) }
    var slot = 0
    for gradient in gradients {
      try submission.append(SquareSum(of: gradient, into: squares, slot: slot))
      slot += SquareSum.slots(for: gradient)
    }
    for index in parameters.indices {
      try submission.append(
        AdamWStep(
          parameters[index], firstMoment: firstMoments[index], secondMoment: secondMoments[index],
          gradient: gradients[index], squares: squares,
          settings: AdamWStep.Settings(
            learningRate: step.learningRate, beta1: golden.beta1, beta2: golden.beta2, epsilon: golden.epsilon,
            weightDecay: golden.weightDecay, maximumNorm: golden.maximumNorm ?? .infinity, number: number)))
    }
    for tensor in parameters { try submission.download(tensor) }
    return try await backend.run(submission).map(\.floats)
  }

  func moments() async throws -> (first: [[Float]], second: [[Float]]) {
    var submission = Submission()
    for tensor in firstMoments + secondMoments { try submission.download(tensor) }
    let values = try await backend.run(submission).map(\.floats)
    return (Array(values.prefix(firstMoments.count)), Array(values.suffix(secondMoments.count)))
  }
}
