extension TimeGrid {
  /// The part of the grid that starts from a given image instead of noise: the last `min(⌊S · strength⌋, S)` steps, as in
  /// diffusers' image-to-image pipelines.
  ///
  /// Sampling then starts from `α · image + σ · z` at the part's first level; `initialScale` is that σ.
  /// - Parameter strength: How much of the image is given up, above 0 and at most 1.
  /// - Returns: The part of the grid.
  /// - Throws: `DiffusionError` if the strength is out of range, or so low that no step is left.
  public func suffix(strength: Double) throws(DiffusionError) -> TimeGrid {
    try require(
      strength > 0 && strength <= 1, "The strength is \(strength): it must be above 0 and at most 1.")
    let kept = Self.steps(strength: strength, of: steps)
    try require(
      kept >= 1, "A strength of \(strength) leaves none of \(steps) steps: give at least \(1 / Double(max(steps, 1))).")
    var part = self
    part.levels = Array(levels.suffix(kept + 1))
    part.initialScale = part.levels[0].sigma
    return part
  }

  /// `min(⌊S · strength⌋, S)`, where a product that rounding left just below a whole number counts as that number: 1/49 of
  /// 49 steps is one.
  static func steps(strength: Double, of steps: Int) -> Int {
    min(Int(Double(steps) * strength * (1 + 1e-12)), steps)
  }
}
