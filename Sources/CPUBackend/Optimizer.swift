internal import Engine

extension CPUBackend {
  static func squareSum(_ operation: SquareSum) throws(EngineError) {
    let source = try floats(operation.source)
    let sums = try floats(operation.sums)
    let count = operation.source.count
    for part in 0..<SquareSum.slots(for: operation.source) {
      let elements = part * SquareSum.part..<min(count, (part + 1) * SquareSum.part)
      sums[operation.slot + part] = Float(elements.reduce(0.0) { $0 + Double(source[$1]) * Double(source[$1]) })
    }
  }

  static func adamW(_ step: AdamWStep) throws(EngineError) {
    let parameter = try floats(step.parameter)
    let first = try floats(step.firstMoment)
    let second = try floats(step.secondMoment)
    let gradient = try floats(step.gradient)
    let squares = try floats(step.squares)
    let settings = step.settings
    let norm = (0..<step.squares.count).reduce(0.0) { $0 + Double(squares[$1]) }.squareRoot()
    let share = settings.maximumNorm / (norm + 1e-6)
    let clip = settings.maximumNorm.isInfinite || share >= 1 ? 1 : share
    for e in 0..<step.parameter.count {
      let g = clip * Double(gradient[e])
      let m = settings.beta1 * Double(first[e]) + (1 - settings.beta1) * g
      let v = settings.beta2 * Double(second[e]) + (1 - settings.beta2) * g * g
      let decayed = Double(parameter[e]) * (1 - settings.learningRate * settings.weightDecay)
      parameter[e] = Float(
        decayed - settings.stepSize * m / (v.squareRoot() * settings.rootScale + settings.epsilon))
      first[e] = Float(m)
      second[e] = Float(v)
    }
  }

  static func blendRows(_ operation: BlendRows) throws(EngineError) {
    let width = operation.source.width
    let source = try floats(operation.source)
    let indices = try integers(operation.indices)
    let weights = try floats(operation.weights)
    let out = try floats(operation.out)
    for r in 0..<operation.rows {
      func element(_ row: Int32, _ c: Int) -> Double { row < 0 ? 0 : Double(source[Int(row) * width + c]) }
      for c in 0..<width {
        let weight = Double(weights[r])
        out[r * width + c] = Float(
          weight * element(indices[2 * r], c) + (1 - weight) * element(indices[2 * r + 1], c))
      }
    }
  }
}
