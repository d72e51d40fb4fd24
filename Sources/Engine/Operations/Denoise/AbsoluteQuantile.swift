/// Each sample's threshold for dynamic thresholding (Saharia et al., 2022): the `ratio` quantile of |p·x + q·o| over its
/// elements, interpolated linearly, and limited to 1 … the row's limit.
package struct AbsoluteQuantile: Sendable {
  package var batch: SampleBatch
  package var coefficients: CoefficientRows
  package var x: Tensor
  package var output: Tensor
  package var outputWidth: Int
  package var ratio: Double
  /// `[samples]`
  package var out: Tensor

  package init(
    _ batch: SampleBatch, _ coefficients: CoefficientRows, x: Tensor, output: Tensor, outputWidth: Int? = nil,
    ratio: Double, into out: Tensor
  ) {
    self.batch = batch
    self.coefficients = coefficients
    self.x = x
    self.output = output
    self.outputWidth = outputWidth ?? batch.elements
    self.ratio = ratio
    self.out = out
  }

  /// The quantile lies between the values of rank `rank` and `rank + 1`, `fraction` of the way.
  package var position: (rank: Int, fraction: Float) {
    let exact = ratio * Double(batch.elements - 1)
    return (Int(exact), Float(exact - exact.rounded(.down)))
  }

  func validate() throws(EngineError) {
    let name: StaticString = "quantile"
    try batch.validate(name)
    try coefficients.validate(name, samples: batch.samples)
    try require(x, holds: batch.count, name, "the sample")
    try batch.validate(output: output, width: outputWidth, heads: 1, name)
    try require(ratio >= 0 && ratio <= 1, name, "the ratio must lie in 0 … 1, not \(ratio)")
    try require(out, holds: batch.samples, name, "the result")
    try require(out, isNot: x, name)
    try require(out, isNot: output, name)
  }
}
