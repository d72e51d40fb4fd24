/// What tuning an operation found.
package struct TuningRecord: Sendable {
  /// A choice that was tried.
  package struct Trial: Sendable {
    package let choice: TileChoice
    /// Medians of runs in turn: of the choice, and of the best one before it. Nil if it was dropped.
    package let seconds: (own: Double, best: Double)?
    /// Why it was dropped: other bits, or the device's refusal.
    package let problem: String?

    package init(_ choice: TileChoice, seconds: (own: Double, best: Double)? = nil, problem: String? = nil) {
      self.choice = choice
      self.seconds = seconds
      self.problem = problem
    }
  }

  /// See ``Tuning/key(_:_:)``.
  package let key: String
  /// How often a pass of the model runs such operations.
  package let count: Int
  /// The fastest; empty if the default is, or nothing else was faster by as much as noise could be.
  package let choice: TileChoice
  /// The median of the default.
  package let defaultSeconds: Double
  /// That of the choice, of runs in turn with the default's.
  package let seconds: Double
  package let trials: [Trial]
  /// All choices have been tried; if not, time was up.
  package let isComplete: Bool

  package init(
    key: String, count: Int, choice: TileChoice, defaultSeconds: Double, seconds: Double, trials: [Trial],
    isComplete: Bool
  ) {
    self.key = key
    self.count = count
    self.choice = choice
    self.defaultSeconds = defaultSeconds
    self.seconds = seconds
    self.trials = trials
    self.isComplete = isComplete
  }
}
