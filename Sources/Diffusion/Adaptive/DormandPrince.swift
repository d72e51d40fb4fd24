/// The Runge-Kutta pair of Dormand and Prince (1980): order 5 with an error estimate of order 4, six new evaluations a
/// step, the last of which is the next step's first.
enum DormandPrince {
  /// When each stage is, as a part of the step.
  static let times: [Double] = [0, 1.0 / 5, 3.0 / 10, 4.0 / 5, 8.0 / 9, 1, 1]

  /// How stages 2 … 7 are reached from the derivatives before them; the last row is the solution itself.
  static let weights: [[Double]] = [
    [1.0 / 5],
    [3.0 / 40, 9.0 / 40],
    [44.0 / 45, -56.0 / 15, 32.0 / 9],
    [19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729],
    [9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656],
    [35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84],
  ]

  /// The difference between the solutions of order 5 and 4.
  static let errors: [Double] = [
    71.0 / 57600, 0, -71.0 / 16695, 71.0 / 1920, -17253.0 / 339200, 22.0 / 525, -1.0 / 40,
  ]
}

/// Chooses the step of one sample by its own error: what one sample needs does not change another's result.
struct StepControl: Sendable {
  /// Where the sample is.
  private(set) var time: Double
  /// The step that is tried next; 0 at the end.
  private(set) var step: Double

  private let end: Double
  private var wasRejected = false

  init(from start: Double, to end: Double) {
    time = start
    self.end = end
    step = (end - start) / 100
  }

  var isDone: Bool { step == 0 }

  /// Whether no step is small enough.
  var isStuck: Bool { !isDone && abs(step) < 1e-12 }

  /// Takes the step if its error, relative to the tolerance, is at most 1, and chooses the next.
  /// - Returns: whether it was taken.
  mutating func judge(error: Double) -> Bool {
    let isTaken = error <= 1
    // Hairer, Nørsett and Wanner: a safety factor, and no larger step right after a rejected one.
    let factor = error.isFinite ? 0.9 * power(max(error, 1e-10), -0.2) : 0.1
    if isTaken { time += step }
    step *= min(max(factor, 0.2), wasRejected && isTaken ? 1 : 10)
    wasRejected = !isTaken
    if abs(end - time) < 1e-12 {
      step = 0
    } else if abs(step) > abs(end - time) {
      step = end - time
    }
    return isTaken
  }
}
