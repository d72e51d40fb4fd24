internal import Dispatch
package import Engine
internal import Foundation
internal import Synchronization

/// The reference: runs each operation's own definition. The oracle of the tests, and the fallback where there is no OpenCL
/// device. It runs one submission at a time, on a thread of its own.
package final class CPUBackend: Backend {
  private let queue = DispatchQueue(label: "weft.cpu-backend")
  private let use = MemoryLedger()

  private static let largestTensor = Int(clamping: ProcessInfo.processInfo.physicalMemory)

  package init() {}

  package let device = DeviceDescription(
    name: "Weft reference", platform: "Swift", driver: "", kind: .reference, variant: "reference", computeUnits: 1,
    memoryBytes: .max, largestTensorBytes: largestTensor)

  /// A width no tile has: nothing may depend on how columns are packed.
  package let panelWidth = 3

  package let tiles: TileShape? = nil

  package var memory: MemoryUse { use.now }

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
    let storage = try HostStorage(byteCount: byteCount) { [use] in use.add(-$0) }
    use.add(byteCount)
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
    let memory = HostMemory()
    for upload in submission.uploads {
      let target = try memory.bytes(of: upload.tensor)
      upload.elements.withBytes { target.copyMemory(from: $0) }
    }
    for operation in submission.operations { try operation.reference(memory) }
    return try submission.downloads.map { (download) throws(EngineError) in
      let bytes = UnsafeRawBufferPointer(try memory.bytes(of: download.tensor))
      let count = download.count * download.tensor.elementType.byteCount
      return HostArray(download.tensor.elementType, copying: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
    }
  }
}

/// Counts the bytes that tensors hold.
private final class MemoryLedger: Sendable {
  private let use = Mutex(MemoryUse())

  func add(_ count: Int) { use.withLock { $0.add(count) } }
  var now: MemoryUse { use.withLock { $0 } }
}
