import CPUBackend
import Diffusion
import Engine
import Foundation
import Networks
import TestDevices
import Testing

@Suite struct NoiseTests {
  /// Known answers of Philox4x32-10, from the authors' Random123 library.
  @Test func philoxKnownAnswers() {
    let ones = UInt32.max
    #expect(
      Philox.words(counter: (0, 0, 0, 0), key: (0, 0)) == (0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    #expect(
      Philox.words(counter: (ones, ones, ones, ones), key: (ones, ones))
        == (0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    #expect(
      Philox.words(
        counter: (0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), key: (0xa409_3822, 0x299f_31d0))
        == (0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
  }

  private func draw(
    _ samples: Int, _ elements: Int, seed: UInt64 = 7, step: Int = 0, first: UInt32 = 0, on device: TestDevice
  ) async throws -> [Float] {
    let engine = try await device.engine()
    let batch = SampleBatch(samples: samples, elements: elements)
    var row = CoefficientRow()
    row[.noise] = 1
    var submission = Submission()
    let table = try engine.makeTensor(.float32, 1, CoefficientRow.width)
    let identities = try engine.makeTensor(.int32, samples, 4)
    let out = try engine.makeTensor(.float32, samples, elements)
    try submission.upload(.float32(row.elements), to: table)
    let ids = (0..<samples).map { SampleIdentity(seed: seed, sample: first &+ UInt32($0)) }
    try submission.upload(.int32(ids.flatMap(\.words)), to: identities)
    try submission.append(
      NoiseDraw(
        batch, CoefficientRows(table, first: 0), NoiseSource(identities, step: step, stream: .step), into: out))
    try submission.download(out)
    return try await engine.run(submission)[0].floats
  }

  /// Distance in units in the last place of the larger.
  private func places(_ a: Float, _ b: Float) -> Float { abs(a - b) / max(abs(a), abs(b), .leastNormalMagnitude).ulp }

  @Test(.enabled(if: TestDevice.hasOpenCL, "no OpenCL device")) func referenceAndDeviceDrawTheSame() async throws {
    for (samples, elements) in [(3, 10_001), (64, 65)] {
      let device = try await draw(samples, elements, step: 3, first: 41, on: .openCL)
      let reference = try await draw(samples, elements, step: 3, first: 41, on: .reference)
      let worst = zip(device, reference).map(places).max() ?? .infinity
      #expect(worst <= 2)
    }
  }

  /// 10⁷ draws: moments within five standard errors, and the distribution by Kolmogorov and Smirnov.
  @Test(.enabled(if: TestDevice.hasOpenCL, "no OpenCL device")) func tenMillionAreNormal() async throws {
    let values = try await draw(10, 1_000_000, on: .openCL)
    let count = Double(values.count)
    var sums = [Double](repeating: 0, count: 7)
    for z in values {
      var product = 1.0
      for power in 1...6 {
        product *= Double(z)
        sums[power] += product
      }
    }
    // Var z^k is (2k - 1)!! minus the square of the mean: 1, 2, 15, 96, 945, 10170.
    for (power, mean, variance) in [
      (1, 0.0, 1.0), (2, 1, 2), (3, 0, 15), (4, 3, 96), (5, 0, 945), (6, 15, 10_170),
    ] {
      #expect(abs(sums[power] / count - mean) < 5 * (variance / count).squareRoot(), "moment \(power)")
    }
    let sorted = values.sorted()
    var distance = 0.0
    for (index, z) in sorted.enumerated() {
      let exact = 0.5 * erfc(-Double(z) / 2.0.squareRoot())
      distance = max(distance, abs(exact - Double(index) / count), abs(exact - Double(index + 1) / count))
    }
    // A distance above this has a probability of 0.001.
    #expect(distance * count.squareRoot() < 1.95)
  }

  /// Neighbouring elements, samples, steps and seeds share nothing.
  @Test(arguments: TestDevice.available) func drawsAreUncorrelated(device: TestDevice) async throws {
    let count = device.scaled(100_000, reference: 20_000)
    let base = try await draw(1, count, on: device)
    let others = [
      try await draw(1, count, seed: 8, on: device), try await draw(1, count, step: 1, on: device),
      try await draw(1, count, first: 1, on: device), Array(base.dropFirst()) + [0],
    ]
    for other in others {
      let product = zip(base, other).reduce(0.0) { $0 + Double($1.0) * Double($1.1) } / Double(count)
      #expect(abs(product) < 5 / Double(count).squareRoot())
    }
  }
}
