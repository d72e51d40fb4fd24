/// One number for each sample: a sum over its elements.
package struct SampleSum: Sendable {
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

  func validate() throws(EngineError) {
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
}
