internal import Dispatch
package import Engine
internal import Foundation

/// The reference: every operation as the plainest loop, summed in Double. The oracle of the tests, and the fallback
/// where there is no OpenCL device. It runs one submission at a time, on a thread of its own.
package final class CPUBackend: Backend {
  private let queue = DispatchQueue(label: "weft.cpu-backend")
  private let ledger = MemoryLedger()

  private static let largestTensor = Int(clamping: ProcessInfo.processInfo.physicalMemory)

  package init() {}

  package let device = DeviceDescription(
    name: "Weft reference", platform: "Swift", driver: "", kind: .reference, variant: "reference", computeUnits: 1,
    memoryBytes: .max, largestTensorBytes: largestTensor)

  /// A width no tile has: nothing may depend on how columns are packed.
  package let panelWidth = 3

  package let sharesProducts = false

  package var memory: MemoryUse { ledger.now }

  package func makeTensor(_ elementType: ElementType, _ shape: [Int]) throws(EngineError) -> Tensor {
    var byteCount = elementType.byteCount
    for size in shape {
      let (product, overflow) = byteCount.multipliedReportingOverflow(by: size)
      guard size > 0, !overflow else {
        throw EngineError(.invalidOperation, "no tensor has the shape \(shape)")
      }
      byteCount = product
    }
    // Asking the system for more than there is would end the process.
    guard byteCount <= Self.largestTensor else {
      throw EngineError(
        .exhausted, "\(byteCount) bytes in one tensor are more than this machine's memory of \(Self.largestTensor)")
    }
    let storage = HostStorage(byteCount: byteCount, ledger: ledger)
    return Tensor(storage: storage, elementType: elementType, shape: shape)
  }

  package func run(_ submission: Submission) async throws(EngineError) -> [HostArray] {
    let result: Result<[HostArray], EngineError> = await withCheckedContinuation { continuation in
      queue.async {
        continuation.resume(returning: Result { () throws(EngineError) in try Self.execute(submission) })
      }
    }
    return try result.get()
  }

  private static func execute(_ submission: Submission) throws(EngineError) -> [HostArray] {
    for upload in submission.uploads {
      let target = try memory(of: upload.tensor)
      upload.elements.withBytes { target.copyMemory(from: $0) }
    }
    for operation in submission.operations {
      switch operation {
      case .pairwise(let operation): try pairwise(operation)
      case .pack(let operation): try pack(operation)
      case .dense(let operation): try dense(operation)
      case .layerNormalization(let operation): try layerNormalization(operation)
      case .embeddingSum(let operation): try embeddingSum(operation)
      case .rotate(let operation): try rotate(operation)
      case .attention(let operation): try attention(operation)
      case .denoiseStep(let operation): try denoiseStep(operation)
      case .noiseDraw(let operation): try noiseDraw(operation)
      case .langevinStep(let operation): try langevinStep(operation)
      case .sampleSum(let operation): try sampleSum(operation)
      case .absoluteQuantile(let operation): try absoluteQuantile(operation)
      case .mergeAverages(let operation): try mergeAverages(operation)
      case .pairLinks(let operation): try pairLinks(operation)
      case .mergeLosses(let operation): try mergeLosses(operation)
      case .rowLoss(let operation): try rowLoss(operation)
      case .packTransposed(let operation): try packTransposed(operation)
      case .weightGradient(let operation): try weightGradient(operation)
      case .squareSum(let operation): try squareSum(operation)
      case .adamW(let operation): try adamW(operation)
      case .blendRows(let operation): try blendRows(operation)
      case .mergeTopK(let operation): try mergeTopK(operation)
      case .columnSum(let operation): try columnSum(operation)
      case .convolution(let operation): try convolution(operation)
      case .groupNormalization(let operation): try groupNormalization(operation)
      case .timeEmbedding(let operation): try timeEmbedding(operation)
      case .pixelOrder(let operation): try pixelOrder(operation)
      }
    }
    return try submission.downloads.map { (download) throws(EngineError) in
      let bytes = UnsafeRawBufferPointer(try memory(of: download.tensor))
      let count = download.count * download.tensor.elementType.byteCount
      return HostArray(download.tensor.elementType, copying: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
    }
  }

  private static func memory(of tensor: Tensor) throws(EngineError) -> UnsafeMutableRawBufferPointer {
    guard let storage = tensor.storage as? HostStorage else {
      throw EngineError(.invalidOperation, "a tensor of another device was given to the reference backend")
    }
    return storage.bytes
  }

  static func floats(_ tensor: Tensor) throws(EngineError) -> UnsafeMutableBufferPointer<Float> {
    try memory(of: tensor).bindMemory(to: Float.self)
  }

  static func integers(_ tensor: Tensor) throws(EngineError) -> UnsafeMutableBufferPointer<Int32> {
    try memory(of: tensor).bindMemory(to: Int32.self)
  }
}
