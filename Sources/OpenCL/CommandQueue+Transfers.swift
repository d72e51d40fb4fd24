internal import COpenCL

// Offsets and sizes count bytes. A range outside its buffer stops the program; an empty one is
// legal here although OpenCL 1.2 forbids it.
extension CommandQueue {
  /// Copies `bytes` to the device. They may be reused on return, which comes after all that was
  /// enqueued before has finished.
  package func write(
    _ bytes: UnsafeRawBufferPointer, to buffer: Buffer, offset: Int = 0
  ) throws(OpenCLError) {
    buffer.preconditionContains(offset: offset, byteCount: bytes.count)
    guard !bytes.isEmpty else { return }
    try check("clEnqueueWriteBuffer", "\(bytes.count) bytes") {
      clEnqueueWriteBuffer(
        handle.pointer, buffer.handle.pointer, cl_bool(CL_TRUE), offset, bytes.count,
        bytes.baseAddress, 0, nil, nil)
    }
  }

  /// Starts to copy `bytes` to the device. They must stay as they are until the event completes.
  package func enqueueWrite(
    _ bytes: UnsafeRawBufferPointer, to buffer: Buffer, offset: Int = 0
  ) throws(OpenCLError) -> Event {
    buffer.preconditionContains(offset: offset, byteCount: bytes.count)
    guard !bytes.isEmpty else { return try marker() }
    return try event("write", "clEnqueueWriteBuffer", "\(bytes.count) bytes") {
      clEnqueueWriteBuffer(
        handle.pointer, buffer.handle.pointer, cl_bool(CL_FALSE), offset, bytes.count,
        bytes.baseAddress, 0, nil, $0)
    }
  }

  /// Starts to copy from the device into `bytes`, as many as there are. They must stay allocated,
  /// and their content is undefined, until the event completes.
  package func enqueueRead(
    _ buffer: Buffer, offset: Int = 0, into bytes: UnsafeMutableRawBufferPointer
  ) throws(OpenCLError) -> Event {
    buffer.preconditionContains(offset: offset, byteCount: bytes.count)
    guard !bytes.isEmpty else { return try marker() }
    return try event("read", "clEnqueueReadBuffer", "\(bytes.count) bytes") {
      clEnqueueReadBuffer(
        handle.pointer, buffer.handle.pointer, cl_bool(CL_FALSE), offset, bytes.count,
        bytes.baseAddress, 0, nil, $0)
    }
  }

  /// Repeats a pattern over a range of a buffer.
  ///
  /// - Parameters:
  ///   - buffer: what to fill.
  ///   - pattern: four bytes, in the host's byte order.
  ///   - offset: where to start, a multiple of 4.
  ///   - byteCount: how many bytes to fill, a multiple of 4; nil fills to the end.
  /// - Throws: the driver's refusal.
  package func fill(
    _ buffer: Buffer, with pattern: UInt32, offset: Int = 0, byteCount: Int? = nil
  ) throws(OpenCLError) {
    let count = byteCount ?? buffer.byteCount - offset
    buffer.preconditionContains(offset: offset, byteCount: count)
    let width = MemoryLayout<UInt32>.size
    precondition(offset % width == 0 && count % width == 0, "fills are whole 4-byte patterns")
    guard count > 0 else { return }
    try check("clEnqueueFillBuffer", "\(count) bytes") {
      withUnsafePointer(to: pattern) {
        clEnqueueFillBuffer(
          handle.pointer, buffer.handle.pointer, $0, width, offset, count, 0, nil, nil)
      }
    }
  }

  /// Copies between two buffers, or between two ranges of one that do not overlap.
  package func copy(
    from source: Buffer, sourceOffset: Int = 0, to target: Buffer, targetOffset: Int = 0,
    byteCount: Int
  ) throws(OpenCLError) {
    source.preconditionContains(offset: sourceOffset, byteCount: byteCount)
    target.preconditionContains(offset: targetOffset, byteCount: byteCount)
    guard byteCount > 0 else { return }
    try check("clEnqueueCopyBuffer", "\(byteCount) bytes") {
      clEnqueueCopyBuffer(
        handle.pointer, source.handle.pointer, target.handle.pointer, sourceOffset, targetOffset,
        byteCount, 0, nil, nil)
    }
  }
}
