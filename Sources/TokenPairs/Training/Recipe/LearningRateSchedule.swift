/// The learning rate of each step: it grows linearly to its peak, then falls linearly towards zero.
package struct LearningRateSchedule: Sendable, Hashable {
  package let peak: Double
  /// Steps of the whole training.
  package let steps: Int
  /// Steps in which it grows: the share of all, rounded up.
  package let warmUp: Int

  /// - Parameters:
  ///   - peak: the highest rate.
  ///   - warmUpShare: the part of all steps in which the rate grows, from 0 to 1.
  ///   - steps: steps of the whole training, at least 1.
  package init(peak: Double, warmUpShare: Double, steps: Int) {
    precondition(steps > 0 && warmUpShare >= 0 && warmUpShare <= 1)
    self.peak = peak
    self.steps = steps
    warmUp = min(steps, Int((warmUpShare * Double(steps)).rounded(.up)))
  }

  /// The rate of a step: `peak · k / W` up to the last step W of the warm-up, then `peak · (T - k + 1) / (T - W + 1)`.
  /// No step has the rate zero: neither the first nor the last is in vain.
  /// - Parameter number: k, from 1 to `steps`.
  /// - Returns: the rate.
  package func rate(step number: Int) -> Double {
    precondition((1...steps).contains(number))
    return number <= warmUp
      ? peak * Double(number) / Double(warmUp)
      : peak * Double(steps - number + 1) / Double(steps - warmUp + 1)
  }
}
