/// One step of AdamW (Loshchilov and Hutter, 2019) in PyTorch's form, the gradient scaled down to a norm at most:
///
///     g = gradient · min(1, maximumNorm / (√Σ squares + 10⁻⁶))
///     p = p · (1 - learningRate · weightDecay)
///     m = β1 m + (1 - β1) g        v = β2 v + (1 - β2) g²
///     p = p - learningRate / (1 - β1ᵗ) · m / (√v / √(1 - β2ᵗ) + ε)
package struct AdamWStep: Sendable {
  /// What the step depends on besides the tensors; combined in Double.
  package struct Settings: Sendable, Hashable {
    package var learningRate: Double
    package var beta1: Double
    package var beta2: Double
    package var epsilon: Double
    package var weightDecay: Double
    /// The norm over all squares that is left as it is; infinite for no limit.
    package var maximumNorm: Double
    /// The step's number, from 1.
    package var number: Int

    package init(
      learningRate: Double, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8,
      weightDecay: Double = 0, maximumNorm: Double = .infinity, number: Int
    ) {
      self.learningRate = learningRate
      self.beta1 = beta1
      self.beta2 = beta2
      self.epsilon = epsilon
      self.weightDecay = weightDecay
      self.maximumNorm = maximumNorm
      self.number = number
    }

    /// `learningRate / (1 - β1ᵗ)`
    package var stepSize: Double { learningRate / (1 - power(beta1, Double(number))) }
    /// `1 / √(1 - β2ᵗ)`
    package var rootScale: Double { 1 / (1 - power(beta2, Double(number))).squareRoot() }
  }

  /// Changed in place, as are both moments; all of one size.
  package var parameter: Tensor
  package var firstMoment: Tensor
  package var secondMoment: Tensor
  package var gradient: Tensor
  /// `[slots]`: sums of squares (``SquareSum``) of all gradients that are scaled together, added in order.
  package var squares: Tensor
  package var settings: Settings

  package init(
    _ parameter: Tensor, firstMoment: Tensor, secondMoment: Tensor, gradient: Tensor, squares: Tensor,
    settings: Settings
  ) {
    self.parameter = parameter
    self.firstMoment = firstMoment
    self.secondMoment = secondMoment
    self.gradient = gradient
    self.squares = squares
    self.settings = settings
  }

  func validate() throws(EngineError) {
    let name: StaticString = "AdamW"
    let count = parameter.count
    try require(parameter, holds: 1, name, "the parameter")
    try require(count <= indexLimit, name, "\(count) elements")
    try require(firstMoment, holds: count, name, "the first moment")
    try require(secondMoment, holds: count, name, "the second moment")
    try require(gradient, holds: count, name, "the gradient")
    try require(squares, holds: 1, name, "the squares")
    let tensors = [parameter, firstMoment, secondMoment, gradient, squares]
    for (index, tensor) in tensors.enumerated() {
      for other in tensors[..<index] { try require(tensor, isNot: other, name) }
    }
    try require(
      settings.learningRate >= 0 && settings.learningRate.isFinite && (0..<1).contains(settings.beta1)
        && (0..<1).contains(settings.beta2) && settings.epsilon > 0 && settings.epsilon.isFinite
        && settings.weightDecay >= 0 && settings.weightDecay.isFinite && settings.maximumNorm > 0
        && settings.number > 0, name, "settings out of range: \(settings)")
  }
}
