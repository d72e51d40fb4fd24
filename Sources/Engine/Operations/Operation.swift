/// One step of work for a device. A value: it says what is computed, not how.
package enum Operation: Sendable {
  case pairwise(PairwiseProduct)
  case pack(PackColumns)
  case dense(DenseLayer)
  case layerNormalization(LayerNormalization)
  case embeddingSum(EmbeddingSum)
  case rotate(RotateRows)
  case attention(Attention)
  case denoiseStep(DenoiseStep)
  case noiseDraw(NoiseDraw)
  case langevinStep(LangevinStep)
  case sampleSum(SampleSum)
  case absoluteQuantile(AbsoluteQuantile)
  case mergeAverages(MergeAverages)
  case pairLinks(PairLinks)
  case mergeLosses(MergeLosses)
  case rowLoss(RowLoss)
  case packTransposed(PackTransposed)
  case weightGradient(WeightGradient)
  case squareSum(SquareSum)
  case adamW(AdamWStep)
  case blendRows(BlendRows)
  case mergeTopK(MergeTopK)
  case columnSum(ColumnSum)
  case convolution(Convolution)
  case groupNormalization(GroupNormalization)
  case timeEmbedding(TimeEmbedding)
  case pixelOrder(PixelOrder)

  /// Checks shapes, element types, ranges and capacity, once; backends rely on it.
  package func validate() throws(EngineError) {
    switch self {
    case .pairwise(let operation): try operation.validate()
    case .pack(let operation): try operation.validate()
    case .dense(let operation): try operation.validate()
    case .layerNormalization(let operation): try operation.validate()
    case .embeddingSum(let operation): try operation.validate()
    case .rotate(let operation): try operation.validate()
    case .attention(let operation): try operation.validate()
    case .denoiseStep(let operation): try operation.validate()
    case .noiseDraw(let operation): try operation.validate()
    case .langevinStep(let operation): try operation.validate()
    case .sampleSum(let operation): try operation.validate()
    case .absoluteQuantile(let operation): try operation.validate()
    case .mergeAverages(let operation): try operation.validate()
    case .pairLinks(let operation): try operation.validate()
    case .mergeLosses(let operation): try operation.validate()
    case .rowLoss(let operation): try operation.validate()
    case .packTransposed(let operation): try operation.validate()
    case .weightGradient(let operation): try operation.validate()
    case .squareSum(let operation): try operation.validate()
    case .adamW(let operation): try operation.validate()
    case .blendRows(let operation): try operation.validate()
    case .mergeTopK(let operation): try operation.validate()
    case .columnSum(let operation): try operation.validate()
    case .convolution(let operation): try operation.validate()
    case .groupNormalization(let operation): try operation.validate()
    case .timeEmbedding(let operation): try operation.validate()
    case .pixelOrder(let operation): try operation.validate()
    }
  }
}

/// Largest row or cell count an operation takes: kernels index rows with 32-bit integers.
let indexLimit = Int(Int32.max)

/// Checks that an operation does not write what it reads in another order than it writes.
func require(
  _ out: Tensor, isNot input: Tensor, _ operation: StaticString
) throws(EngineError) {
  try require(out.storage !== input.storage, operation, "the result may not be its own input")
}

/// Checks that a tensor holds `count` elements of a type.
func require(
  _ tensor: Tensor, holds count: Int, _ operation: StaticString, _ name: StaticString,
  of elementType: ElementType = .float32
) throws(EngineError) {
  try require(
    tensor.elementType == elementType, operation,
    "\(name) must be \(elementType), not \(tensor.elementType)")
  try require(
    tensor.count >= count, operation, "\(name) needs \(count) elements and has \(tensor.count)")
}
