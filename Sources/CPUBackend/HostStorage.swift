internal import Engine
internal import Synchronization

/// Memory of the reference backend: plain host memory, freed with its last tensor.
///
/// `@unchecked`: the bytes are touched only on the backend's serial queue.
final class HostStorage: TensorStorage, @unchecked Sendable {
  let bytes: UnsafeMutableRawBufferPointer
  private let ledger: MemoryLedger

  init(byteCount: Int, ledger: MemoryLedger) {
    bytes = .allocate(byteCount: byteCount, alignment: 64)
    self.ledger = ledger
    ledger.add(byteCount)
  }

  deinit {
    ledger.add(-bytes.count)
    bytes.deallocate()
  }

  var byteCount: Int { bytes.count }
}

/// Counts the bytes that tensors hold.
final class MemoryLedger: Sendable {
  private let use = Mutex(MemoryUse())

  func add(_ count: Int) { use.withLock { $0.add(count) } }
  var now: MemoryUse { use.withLock { $0 } }
}
