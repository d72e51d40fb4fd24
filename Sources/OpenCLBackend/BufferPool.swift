internal import Engine
internal import OpenCL
internal import Synchronization

/// Device memory for tensors: buffers that come back are kept for requests of nearly their size.
final class BufferPool: Sendable {
  private struct State {
    var use = MemoryUse()
    var idle: [Int: [Buffer]] = [:]
    var idleBytes = 0

    mutating func dropIdle() {
      idle.removeAll()
      idleBytes = 0
    }
  }

  private let context: Context
  /// The most that tensors and idle buffers may hold together, in bytes.
  private let budget: Int
  private let state = Mutex(State())

  init(context: Context, budget: Int) {
    self.context = context
    self.budget = budget
  }

  var memory: MemoryUse { state.withLock { $0.use } }

  /// Takes a buffer of at least `byteCount` bytes, and less than an eighth more.
  func take(_ byteCount: Int) throws(EngineError) -> Buffer {
    let device = context.device
    let size = min(Self.sizeClass(byteCount), max(byteCount, device.maxAllocation))
    guard byteCount <= device.maxAllocation else {
      throw EngineError(
        .exhausted,
        "\(byteCount) bytes in one block are more than the \(device.maxAllocation) that \(device.name) allows")
    }
    let reused: Buffer? = try state.withLock { (state) throws(EngineError) in
      if let buffer = state.idle[size]?.popLast() {
        state.idleBytes -= size
        state.use.add(size)
        return buffer
      }
      if state.use.bytes + state.idleBytes + size > budget { state.dropIdle() }
      guard state.use.bytes + size <= budget else {
        throw EngineError(
          .exhausted,
          "\(size) bytes do not fit: \(state.use.bytes) of the memory budget of \(budget) bytes are in use")
      }
      state.use.add(size)
      return nil
    }
    if let reused { return reused }
    do {
      return try context.makeBuffer(byteCount: size)
    } catch {
      // Idle buffers may be what stands in the way; one more try without them.
      state.withLock { $0.dropIdle() }
      do { return try context.makeBuffer(byteCount: size) } catch {
        state.withLock { $0.use.add(-size) }
        throw EngineError(error)
      }
    }
  }

  func giveBack(_ buffer: Buffer) {
    state.withLock { state in
      state.use.add(-buffer.byteCount)
      state.idle[buffer.byteCount, default: []].append(buffer)
      state.idleBytes += buffer.byteCount
      // What lies idle stays below what has been in use at one time.
      if state.idleBytes > state.use.peakBytes { state.dropIdle() }
    }
  }

  /// Rounds up to one of eight sizes between two powers of two, and at least 256 bytes.
  static func sizeClass(_ byteCount: Int) -> Int {
    guard byteCount > 256 else { return 256 }
    let step = max(256, 1 << (Int.bitWidth - 1 - byteCount.leadingZeroBitCount - 3))
    return (byteCount + step - 1) / step * step
  }
}

/// A tensor's memory on an OpenCL device; goes back to the pool with its last tensor.
final class DeviceStorage: TensorStorage {
  let buffer: Buffer
  private let pool: BufferPool

  init(_ byteCount: Int, from pool: BufferPool) throws(EngineError) {
    buffer = try pool.take(byteCount)
    self.pool = pool
  }

  deinit { pool.giveBack(buffer) }

  var byteCount: Int { buffer.byteCount }
}
