internal import Engine
internal import OpenCL

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
