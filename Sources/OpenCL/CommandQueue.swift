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
