package import Engine

/// One number for each sample: a sum over its elements.
package struct SampleSum: DeviceOperation {
  /// What is summed.
  package enum Summand: Sendable {
    /// `a · b`
    case product(Tensor, Tensor)
    /// `(error / (absolute + relative · max(|from|, |to|)))²`: an adaptive step's error against its tolerance.
    case scaledError(Tensor, from: Tensor, to: Tensor, absolute: Float, relative: Float)
  }

  package var batch: SampleBatch
  package var summand: Summand
  /// `[samples]`
  package var out: Tensor

  package init(_ batch: SampleBatch, of summand: Summand, into out: Tensor) {
    self.batch = batch
    self.summand = summand
    self.out = out
  }

  package func validate() throws(EngineError) {
    let name: StaticString = "sum over a sample"
    try batch.validate(name)
    let inputs: [Tensor]
    switch summand {
    case .product(let a, let b): inputs = [a, b]
    case .scaledError(let error, let from, let to, let absolute, let relative):
      inputs = [error, from, to]
      try require(
        absolute > 0 && relative >= 0 && absolute.isFinite && relative.isFinite, name,
        "the tolerances must be finite, the absolute one above 0")
    }
    for tensor in inputs {
      try require(tensor, holds: batch.count, name, "an input")
      try require(out, isNot: tensor, name)
    }
    try require(out, holds: batch.samples, name, "the result")
  }

  package func reference(_ memory: HostMemory) throws(EngineError) {
    let result = try memory.floats(out)
    let elements = batch.elements
    func sum(_ summand: (Int) -> Double) {
      for sample in 0..<batch.samples {
        result[sample] = Float((0..<elements).reduce(0) { $0 + summand(sample * elements + $1) })
      }
    }
    switch summand {
    case .product(let first, let second):
      let (a, b) = (try memory.floats(first), try memory.floats(second))
      sum { Double(a[$0]) * Double(b[$0]) }
    case .scaledError(let error, let from, let to, let absolute, let relative):
      let (error, from, to) = (try memory.floats(error), try memory.floats(from), try memory.floats(to))
      sum { at in
        let largest = Double(max(abs(from[at]), abs(to[at])))
        let scaled = Double(error[at]) / (Double(absolute) + Double(relative) * largest)
        return scaled * scaled
      }
    }
  }

  package func launches(_ tiles: TileShape) -> [KernelLaunch] {
    var defines: [String: String] = [:]
    let tensors: (a: Tensor, c: Tensor, d: Tensor)
    var tolerances: (absolute: Float, relative: Float) = (0, 0)
    switch summand {
    case .product(let a, let b): tensors = (a, b, b)
    case .scaledError(let error, let from, let to, let absolute, let relative):
      defines["DN_SUM"] = "1"
      tensors = (error, from, to)
      tolerances = (absolute, relative)
    }
    return [
      KernelLaunch(
        "denoise/sample_sum.cl", "sample_sum", tiles, defines: defines,
        arguments: [
          "a": .tensor(tensors.a), "c": .tensor(tensors.c), "d": .tensor(tensors.d), "out": .tensor(out),
          "elements": .int(batch.elements), "absolute": .float(tolerances.absolute),
          "relative": .float(tolerances.relative),
        ],
        groups: [batch.samples], groupSize: tiles.rowGroup)
    ]
  }
}
