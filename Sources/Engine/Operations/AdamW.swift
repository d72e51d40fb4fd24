internal import Foundation

/// One step of AdamW (Loshchilov and Hutter, 2019) in PyTorch's form, the gradient scaled down to a norm at most:
///
///     g = gradient · min(1, maximumNorm / (√Σ squares + 10⁻⁶))
///     p = p · (1 - learningRate · weightDecay)
///     m = β1 m + (1 - β1) g        v = β2 v + (1 - β2) g²
///     p = p - learningRate / (1 - β1ᵗ) · m / (√v / √(1 - β2ᵗ) + ε)
package struct AdamWStep: DeviceOperation {
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
    package var stepSize: Double { learningRate / (1 - pow(beta1, Double(number))) }
    /// `1 / √(1 - β2ᵗ)`
    package var rootScale: Double { 1 / (1 - pow(beta2, Double(number))).squareRoot() }
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

  package func validate() throws(EngineError) {
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

  package func reference(_ memory: HostMemory) throws(EngineError) {
    let parameters = try memory.floats(parameter)
    let first = try memory.floats(firstMoment)
    let second = try memory.floats(secondMoment)
    let gradients = try memory.floats(gradient)
    let sums = try memory.floats(squares)
    let norm = (0..<squares.count).reduce(0.0) { $0 + Double(sums[$1]) }.squareRoot()
    let share = settings.maximumNorm / (norm + 1e-6)
    let clip = settings.maximumNorm.isInfinite || share >= 1 ? 1 : share
    for e in 0..<parameter.count {
      let g = clip * Double(gradients[e])
      let m = settings.beta1 * Double(first[e]) + (1 - settings.beta1) * g
      let v = settings.beta2 * Double(second[e]) + (1 - settings.beta2) * g * g
      let decayed = Double(parameters[e]) * (1 - settings.learningRate * settings.weightDecay)
      parameters[e] = Float(
        decayed - settings.stepSize * m / (v.squareRoot() * settings.rootScale + settings.epsilon))
      first[e] = Float(m)
      second[e] = Float(v)
    }
  }

  package func launches(_ tiles: TileShape) -> [KernelLaunch] {
    // Elements of a group: TR_GROUP · TR_RUN vectors.
    let elements = tiles.variant == .cpu ? 64 * 16 : tiles.rowGroup * 4
    return [
      KernelLaunch(
        "training/adamw.cl", "adamw", tiles,
        arguments: [
          "parameter": .tensor(parameter), "first": .tensor(firstMoment), "second": .tensor(secondMoment),
          "gradient": .tensor(gradient), "count": .int(parameter.count), "squares": .tensor(squares),
          "slots": .int(squares.count), "maximum_norm": .float(Float(settings.maximumNorm)),
          "decay": .float(Float(1 - settings.learningRate * settings.weightDecay)),
          "step_size": .float(Float(settings.stepSize)), "root_scale": .float(Float(settings.rootScale)),
          "beta1_rest": .float(Float(1 - settings.beta1)), "beta2": .float(Float(settings.beta2)),
          "beta2_rest": .float(Float(1 - settings.beta2)), "epsilon": .float(Float(settings.epsilon)),
        ],
        groups: [ceilingDivide(parameter.count, elements)], groupSize: tiles.rowGroup)
    ]
  }
}

/// Sums of a tensor's squares, part by part, for the norm of a gradient; added in an order that depends on its size alone.
package struct SquareSum: DeviceOperation {
  /// Elements that share a slot.
  package static let part = 16_384

  package var source: Tensor
  /// `[slots]`: as many as `slots(for:)` says are written, from `slot` on.
  package var sums: Tensor
  package var slot: Int

  package init(of source: Tensor, into sums: Tensor, slot: Int) {
    self.source = source
    self.sums = sums
    self.slot = slot
  }

  /// Slots that a tensor takes.
  package static func slots(for tensor: Tensor) -> Int { (tensor.count + part - 1) / part }

  package func validate() throws(EngineError) {
    let name: StaticString = "sum of squares"
    try require(source.elementType == .float32 && source.count <= indexLimit, name, "\(source.count) elements")
    try require(slot >= 0, name, "slot \(slot)")
    try require(sums, holds: slot + Self.slots(for: source), name, "the sums")
    try require(sums, isNot: source, name)
  }

  package func reference(_ memory: HostMemory) throws(EngineError) {
    let elements = try memory.floats(source)
    let result = try memory.floats(sums)
    for part in 0..<Self.slots(for: source) {
      let range = part * Self.part..<min(source.count, (part + 1) * Self.part)
      result[slot + part] = Float(range.reduce(0.0) { $0 + Double(elements[$1]) * Double(elements[$1]) })
    }
  }

  package func launches(_ tiles: TileShape) -> [KernelLaunch] {
    [
      KernelLaunch(
        "training/square_sum.cl", "square_sum", tiles, defines: ["TR_PART": "\(Self.part)"],
        arguments: ["source": .tensor(source), "count": .int(source.count), "out": .tensor(sums), "slot": .int(slot)],
        groups: [Self.slots(for: source)], groupSize: tiles.rowGroup)
    ]
  }
}
