internal import Engine

/// One kernel with its arguments and grid: what an operation becomes on an OpenCL device, alone or with a few more. A plain value, so the
/// translation is tested without a device.
struct KernelLaunch: Sendable {
  enum Argument: Sendable {
    case int(Int)
    case float(Float)
    case tensor(Tensor)
  }

  let spec: KernelSpec
  let arguments: [Argument]
  /// Work-groups along each dimension.
  let groups: [Int]
  /// Work-items a group, along the first dimension.
  let groupSize: Int

  var global: [Int] { [groups[0] * groupSize] + groups[1...] }
  var local: [Int] { [groupSize, 1, 1] }
}

extension Operation {
  /// The launches that compute this operation with tiles of `shape`, in order.
  func launches(_ shape: TileShape) -> [KernelLaunch] {
    switch self {
    case .pairwise(let operation): operation.launches(shape)
    case .pack(let operation): [operation.launch(shape)]
    case .dense(let operation): [operation.launch(shape)]
    case .layerNormalization(let operation): [operation.launch(shape)]
    case .embeddingSum(let operation): [operation.launch(shape)]
    case .rotate(let operation): [operation.launch(shape)]
    case .attention(let operation): [operation.launch(shape)]
    case .denoiseStep(let operation): [operation.launch(shape)]
    case .noiseDraw(let operation): [operation.launch(shape)]
    case .langevinStep(let operation): [operation.launch(shape)]
    case .sampleSum(let operation): [operation.launch(shape)]
    case .absoluteQuantile(let operation): [operation.launch(shape)]
    case .mergeAverages(let operation): [operation.launch(shape)]
    case .pairLinks(let operation): [operation.launch(shape)]
    case .mergeLosses(let operation): [operation.launch(shape)]
    case .rowLoss(let operation): [operation.launch(shape)]
    case .packTransposed(let operation): [operation.launch(shape)]
    case .weightGradient(let operation): [operation.launch(shape)]
    case .squareSum(let operation): [operation.launch(shape)]
    case .adamW(let operation): [operation.launch(shape)]
    case .blendRows(let operation): [operation.launch(shape)]
    case .mergeTopK(let operation): [operation.launch(shape)]
    case .columnSum(let operation): [operation.launch(shape)]
    case .convolution(let operation): [operation.launch(shape)]
    case .groupNormalization(let operation): [operation.launch(shape)]
    case .timeEmbedding(let operation): [operation.launch(shape)]
    case .pixelOrder(let operation): [operation.launch(shape)]
    }
  }
}

func ceilingDivide(_ a: Int, _ b: Int) -> Int { (a + b - 1) / b }

extension HeadSlices {
  /// The tensor's row length, the first channel, the distance between heads.
  var arguments: [KernelLaunch.Argument] {
    [.tensor(tensor), .int(tensor.width), .int(offset), .int(headStride)]
  }
}
