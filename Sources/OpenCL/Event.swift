internal import COpenCL

/// Tells how an enqueued command fares. Any number of tasks may wait for one event.
package struct Event: ~Copyable, Sendable {
  let handle: CLHandle<EventKind>
  /// Kept alive, so that it can be flushed; nil for an event that the host completes itself.
  private let queue: CommandQueue?
  /// What errors call the command: a kernel's name, `read`, `write` or `marker`.
  package let command: String

  init(adopting pointer: OpaquePointer, of queue: CommandQueue?, command: String) {
    handle = CLHandle(adopting: pointer)
    self.queue = queue
    self.command = command
  }

  /// Waits, without blocking a thread, until the command has finished, well or not.
  ///
  /// Does not heed cancellation: until the command has finished, the device uses its memory.
  /// A failed `clFlush` or `clSetEventCallback` is thrown at once, with the command's fate unknown.
  package borrowing func completion() async throws(OpenCLError) {
    // Also spares Oclgrind, which never calls back for a command that has finished already.
    let now = try executionStatus()
    guard now > CL_COMPLETE else { return try throwIfFailed(now) }
    // A callback that is registered while the command fails is told that it is complete (PoCL 3.1): the event knows.
    let told = try await nextStatus()
    try throwIfFailed(min(told, try executionStatus()))
  }

  /// Blocks the thread until the command has finished, well or not.
  package borrowing func wait() throws(OpenCLError) {
    var pointer: OpaquePointer? = handle.pointer
    do throws(OpenCLError) {
      try check("clWaitForEvents", "waiting for \(command)") { clWaitForEvents(1, &pointer) }
    } catch {
      // This status only says that the command failed; the event knows how.
      guard error.status == .eventInWaitListFailed else { throw error }
    }
    try throwIfFailed(try executionStatus())
  }

  /// When the command was queued, submitted, started and ended.
  ///
  /// Fails with `CL_PROFILING_INFO_NOT_AVAILABLE` before completion and on queues without
  /// profiling.
  package borrowing func profile() throws(OpenCLError) -> EventProfile {
    guard let queue, queue.isProfiling else {
      // Oclgrind would answer with zeros.
      throw OpenCLError(
        status: .profilingInfoNotAvailable, call: "clGetEventProfilingInfo",
        detail: "\(command) was enqueued without profiling")
    }
    let pointer = handle.pointer
    func time(_ parameter: Int32) throws(OpenCLError) -> UInt64 {
      try readValue("clGetEventProfilingInfo") {
        clGetEventProfilingInfo(pointer, cl_profiling_info(parameter), $0, $1, $2)
      }
    }
    return EventProfile(
      queued: try time(CL_PROFILING_COMMAND_QUEUED),
      submitted: try time(CL_PROFILING_COMMAND_SUBMIT),
      started: try time(CL_PROFILING_COMMAND_START),
      ended: try time(CL_PROFILING_COMMAND_END))
  }

  /// Positive while the command is to come or running, `CL_COMPLETE`, or its error.
  private borrowing func executionStatus() throws(OpenCLError) -> Int32 {
    let pointer = handle.pointer
    return try readValue("clGetEventInfo") {
      clGetEventInfo(pointer, cl_event_info(CL_EVENT_COMMAND_EXECUTION_STATUS), $0, $1, $2)
    }
  }

  private borrowing func throwIfFailed(_ status: Int32) throws(OpenCLError) {
    try check("command", "\(command) ended with an error") { min(status, CL_COMPLETE) }
  }

  /// The status in which the command ends: `CL_COMPLETE` or an error.
  private borrowing func nextStatus() async throws(OpenCLError) -> Int32 {
    let pointer = handle.pointer
    let queue = queue
    let watch = EventWatch(pointer)
    defer { EventWatchdog.shared.forget(watch) }
    let outcome = await withCheckedContinuation { continuation in
      watch.waiter.suspend(continuation)
      do throws(OpenCLError) {
        try watch.waiter.register(on: pointer)
        try queue?.flush()  // an unflushed queue may never start the command
        EventWatchdog.shared.look(after: watch)
      } catch {
        watch.waiter.resume(.failure(error))
      }
    }
    return try outcome.get()
  }
}
