internal import Engine
internal import Memory
internal import OpenCL
internal import Synchronization

/// Host memory that the device reads or writes while a submission runs; freed afterwards, or given back.
final class Staging {
  private enum Block {
    case plain(UnsafeMutableRawBufferPointer)
    case transfer(TransferMemory)
  }

  private let pool: TransferPool?
  private var blocks: [Block] = []
  /// What is left of the newest block of transfer memory.
  private var rest = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private(set) var downloads: [UnsafeMutableRawBufferPointer] = []

  /// - Parameter pool: where memory comes from; nil for plain memory.
  init(from pool: TransferPool?) { self.pool = pool }

  deinit {
    for block in blocks {
      switch block {
      case .plain(let memory): HostAllocation.free(memory)
      case .transfer(let memory): pool?.giveBack(memory)
      }
    }
  }

  func copy(_ elements: HostArray) throws(EngineError) -> UnsafeRawBufferPointer {
    let memory = try allocate(elements.count * elements.elementType.byteCount)
    elements.withBytes { memory.copyMemory(from: $0) }
    return UnsafeRawBufferPointer(memory)
  }

  func reserve(_ byteCount: Int) throws(EngineError) -> UnsafeMutableRawBufferPointer {
    let memory = try allocate(byteCount)
    downloads.append(memory)
    return memory
  }

  private func allocate(_ byteCount: Int) throws(EngineError) -> UnsafeMutableRawBufferPointer {
    if let pool, let memory = take(byteCount, from: pool) { return memory }
    do throws(HostAllocation.Refused) {
      let memory = try HostAllocation.allocate(byteCount: byteCount)
      blocks.append(.plain(memory))
      return memory
    } catch { throw EngineError(.exhausted, "a transfer \(error.description)") }
  }

  /// Transfers lie one after the other in a block; nil if the driver gives no more, which plain memory makes good.
  private func take(_ byteCount: Int, from pool: TransferPool) -> UnsafeMutableRawBufferPointer? {
    let size = (byteCount + 63) / 64 * 64
    if rest.count < size {
      guard let block = pool.take(size) else { return nil }
      blocks.append(.transfer(block))
      rest = block.bytes
    }
    let memory = UnsafeMutableRawBufferPointer(rebasing: rest[..<byteCount])
    rest = UnsafeMutableRawBufferPointer(rebasing: rest[size...])
    return memory
  }
}

/// Transfer memory of a device that copies while it computes. Blocks come back and are kept: pinning costs far more than a
/// copy.
final class TransferPool: Sendable {
  private struct State {
    /// The smallest first.
    var idle: [TransferMemory] = []
    var idleBytes = 0
  }

  private let queue: CommandQueue
  private let state = Mutex(State())

  /// Bytes of a block at least: small transfers share one.
  static let blockBytes = 1 << 20
  /// The most that is kept.
  static let idleLimit = 64 << 20

  /// - Parameter queue: maps the blocks.
  init(queue: CommandQueue) { self.queue = queue }

  /// Bytes that lie idle.
  var idleBytes: Int { state.withLock { $0.idleBytes } }

  /// A block of at least so many bytes; nil if the driver gives none, and for more than is kept: to pin memory for one
  /// transfer costs more than the driver's own copy.
  func take(_ byteCount: Int) -> TransferMemory? {
    let size = max(Self.blockBytes, BufferPool.sizeClass(byteCount))
    guard size <= Self.idleLimit else { return nil }
    let kept: TransferMemory? = state.withLock { state in
      // One much larger would be missing where it is needed.
      guard let place = state.idle.firstIndex(where: { $0.bytes.count >= size }),
        state.idle[place].bytes.count <= 4 * size
      else { return nil }
      let block = state.idle.remove(at: place)
      state.idleBytes -= block.bytes.count
      return block
    }
    return kept ?? (try? TransferMemory(byteCount: size, queue: queue))
  }

  /// Keeps a block that nothing uses any more, in place of the largest where it is too much.
  func giveBack(_ block: TransferMemory) {
    // Blocks that are let go are unmapped outside the lock.
    let released: [TransferMemory] = state.withLock { state in
      let place = state.idle.firstIndex { $0.bytes.count >= block.bytes.count } ?? state.idle.count
      state.idle.insert(block, at: place)
      state.idleBytes += block.bytes.count
      var released: [TransferMemory] = []
      while state.idleBytes > Self.idleLimit, let largest = state.idle.popLast() {
        state.idleBytes -= largest.bytes.count
        released.append(largest)
      }
      return released
    }
    withExtendedLifetime(released) {}
  }
}
