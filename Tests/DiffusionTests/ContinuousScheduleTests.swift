import Foundation
import Testing

@testable import Diffusion

@Suite struct ContinuousScheduleTests {
  private static let all: [ContinuousSchedule] = [
    .variancePreserving(), .varianceExploding(), .subVariancePreserving(),
  ]

  @Test func levelsByHand() {
    // ∫β over 0 … 1 is (0.1 + 20) / 2 = 10.05.
    let preserving = ContinuousSchedule.variancePreserving().level(at: 1)
    #expect(agree(preserving.alpha, 0.006571586494929613, 1e-12))
    #expect(agree(preserving.alphaBar, exp(-10.05), 1e-12))
    let sub = ContinuousSchedule.subVariancePreserving().level(at: 1)
    #expect(sub.alpha == preserving.alpha)
    #expect(agree(sub.sigma, 1 - exp(-10.05), 1e-15))
    // Halfway in ln σ between 0.01 and 50.
    #expect(agree(ContinuousSchedule.varianceExploding().level(at: 0.5).sigma, 0.5.squareRoot(), 1e-12))
  }

  /// The moments of `dx = f x dt + g dw` obey α̇ = f α and d(σ²)/dt = 2 f σ² + g².
  @Test(arguments: all) func momentsObeyTheEquation(schedule: ContinuousSchedule) {
    for time in [0.01, 0.2, 0.5, 0.9] {
      let step = 1e-6
      let (before, now, after) = (
        schedule.level(at: time - step), schedule.level(at: time), schedule.level(at: time + step)
      )
      let alphaSlope = (after.alpha - before.alpha) / (2 * step)
      #expect(abs(alphaSlope - schedule.drift(at: time) * now.alpha) < 1e-7, "\(schedule) at \(time)")
      let varianceSlope = (after.sigma * after.sigma - before.sigma * before.sigma) / (2 * step)
      let expected = 2 * schedule.drift(at: time) * now.sigma * now.sigma + schedule.diffusionSquared(at: time)
      #expect(abs(varianceSlope - expected) < 1e-7 * max(1, abs(expected)), "\(schedule) at \(time)")
    }
  }

  @Test(arguments: all) func timeInvertsLambda(schedule: ContinuousSchedule) {
    for time in [1e-5, 1e-3, 0.1, 0.5, 0.99, 1] {
      let lambda = schedule.level(at: time).lambda
      #expect(agree(schedule.time(atLambda: lambda), time, 1e-9), "\(schedule) at \(time)")
    }
  }

  @Test func badNumbersAreRefused() {
    let bad: [ContinuousSchedule] = [
      .variancePreserving(betaMin: -1), .variancePreserving(betaMin: 3, betaMax: 2),
      .subVariancePreserving(betaMax: .infinity), .varianceExploding(sigmaMin: 0),
      .varianceExploding(sigmaMin: 2, sigmaMax: 1),
    ]
    for schedule in bad { #expect(throws: DiffusionError.self) { try schedule.check() } }
  }
}
