internal import COpenCL

/// Sends commands to a device, which runs them in the order they were enqueued.
///
/// May be used from any thread. Commands wait in the queue until it is flushed, which `finish`, a
/// blocking call and waiting for an event do; a queue that dies flushes what it holds.
package final class CommandQueue: Sendable {
  /// The context whose buffers and kernels the queue accepts.
  package let context: Context
  /// Events of this queue can say when their command ran.
  package let isProfiling: Bool
  let handle: CLHandle<QueueKind>

  /// Opens a queue on the context's device.
  ///
  /// - Parameters:
  ///   - context: the context of all that the queue will touch.
  ///   - profiling: record times for `Event.profile()`; costs a little on each command.
  /// - Throws: the driver's refusal.
  package init(context: Context, profiling: Bool = false) throws(OpenCLError) {
    let device = context.device
    let properties = profiling ? cl_command_queue_properties(CL_QUEUE_PROFILING_ENABLE) : 0
    handle = CLHandle(
      adopting: try create("clCreateCommandQueue", device.name) {
        // The 1.2 call: its successor is missing from 1.2 drivers, and every driver has this one.
        clCreateCommandQueue(context.handle.pointer, device.identity.pointer, properties, $0)
      })
    self.context = context
    isProfiling = profiling
  }

  /// Hands everything enqueued so far to the device, without waiting.
  package func flush() throws(OpenCLError) {
    try check("clFlush") { clFlush(handle.pointer) }
  }

  /// Blocks the thread until everything enqueued so far has finished.
  ///
  /// Not a report of success: ask the commands' events how they ended.
  package func finish() throws(OpenCLError) {
    try check("clFinish") { clFinish(handle.pointer) }
  }

  /// An event that completes when everything enqueued before it has.
  package func marker() throws(OpenCLError) -> Event {
    try event("marker", "clEnqueueMarkerWithWaitList") {
      clEnqueueMarkerWithWaitList(handle.pointer, 0, nil, $0)
    }
  }

  /// Enqueues a command that hands out an event.
  ///
  /// - Parameters:
  ///   - command: what a later error calls the command.
  ///   - call: the C function's name.
  ///   - detail: what to add if enqueueing fails.
  ///   - body: enqueues it, storing the event where told, and returns the status.
  /// - Returns: the event.
  /// - Throws: the status of a failed call.
  func event(
    _ command: String, _ call: StaticString, _ detail: @autoclosure () -> String = "",
    _ body: (UnsafeMutablePointer<OpaquePointer?>) -> Int32
  ) throws(OpenCLError) -> Event {
    let pointer = try create(call, detail()) { code in
      var event: OpaquePointer?
      code.pointee = body(&event)
      return event
    }
    return Event(adopting: pointer, of: self, command: command)
  }
}

extension CommandQueue {
  /// Enqueues a run of `kernel` with the arguments it has now; they may be set anew on return.
  ///
  /// - Parameters:
  ///   - kernel: the kernel, every argument set.
  ///   - global: work-items along each of one to three dimensions, at least 1.
  ///   - local: work-items of a group along the same dimensions, dividing `global`; nil leaves the
  ///     choice to the driver.
  /// - Returns: the event of the run.
  /// - Throws: the driver's refusal, with the sizes it refused.
  package func enqueue(
    _ kernel: borrowing Kernel, global: [Int], local: [Int]? = nil
  ) throws(OpenCLError) -> Event {
    preconditionLegal(global: global, local: local)
    let (queue, pointer) = (handle.pointer, kernel.handle.pointer)
    let (name, limit) = (kernel.name, kernel.workGroupLimit)
    return try event(
      name, "clEnqueueNDRangeKernel", launchDetail(name, limit, global: global, local: local)
    ) {
      enqueueRange(pointer, on: queue, global: global, local: local, event: $0)
    }
  }

  /// `enqueue` for commands that are not waited for: a later marker, read or `finish` covers them.
  package func launch(
    _ kernel: borrowing Kernel, global: [Int], local: [Int]? = nil
  ) throws(OpenCLError) {
    preconditionLegal(global: global, local: local)
    let (queue, pointer) = (handle.pointer, kernel.handle.pointer)
    let (name, limit) = (kernel.name, kernel.workGroupLimit)
    try check(
      "clEnqueueNDRangeKernel", launchDetail(name, limit, global: global, local: local)
    ) {
      enqueueRange(pointer, on: queue, global: global, local: local, event: nil)
    }
  }

  private func preconditionLegal(global: [Int], local: [Int]?) {
    precondition((1...3).contains(global.count), "a kernel runs over one to three dimensions")
    precondition(global.allSatisfy { $0 > 0 }, "a kernel runs at least one work-item")
    guard let local else { return }
    precondition(local.count == global.count, "local and global sizes have the same dimensions")
    precondition(local.allSatisfy { $0 > 0 }, "a work-group has at least one work-item")
  }
}

private func enqueueRange(
  _ kernel: OpaquePointer, on queue: OpaquePointer, global: [Int], local: [Int]?,
  event: UnsafeMutablePointer<OpaquePointer?>?
) -> Int32 {
  let dimensions = cl_uint(global.count)
  // An array becomes a C pointer only where it is an argument, so the optional needs two calls.
  guard let local else {
    return clEnqueueNDRangeKernel(queue, kernel, dimensions, nil, global, nil, 0, nil, event)
  }
  return clEnqueueNDRangeKernel(queue, kernel, dimensions, nil, global, local, 0, nil, event)
}

/// What a person needs to know of a launch that failed; `limit` is the kernel's `workGroupLimit`.
private func launchDetail(
  _ kernel: String, _ limit: Int, global: [Int], local: [Int]?
) -> String {
  let group = local.map { "\($0)" } ?? "any"
  return "kernel \(kernel), global \(global), local \(group), at most \(limit) work-items a group"
}

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
