internal import COpenCL
internal import Synchronization

/// Looks at awaited events now and then, in case the driver never calls back.
///
/// The standard promises a callback for a command that fails as well, but PoCL stays silent
/// (pocl/pocl#1430): a task would wait for ever on exactly the commands that went wrong. One timer
/// serves all events and runs only while some are awaited; the callback is nearly always first.
final class EventWatchdog: Sendable {
  /// The watchdog of the process.
  static let shared = EventWatchdog()

  /// How long a failure can go unnoticed where the driver does not report it.
  static let period = Duration.milliseconds(100)

  private struct State {
    var watches: [ObjectIdentifier: EventWatch] = [:]
    var isRunning = false
  }

  private let state = Mutex(State())

  /// Looks at the watch's event until `forget`.
  func look(after watch: EventWatch) {
    let mustStart = state.withLock { state in
      state.watches[ObjectIdentifier(watch)] = watch
      defer { state.isRunning = true }
      return !state.isRunning
    }
    // Detached: it outlives the task that happens to start it.
    if mustStart { Task.detached { await self.run() } }
  }

  /// The watch's task has been resumed.
  func forget(_ watch: EventWatch) {
    state.withLock { _ = $0.watches.removeValue(forKey: ObjectIdentifier(watch)) }
  }

  private func run() async {
    while true {
      try? await Task.sleep(for: Self.period)
      let watches = state.withLock { state in
        state.isRunning = !state.watches.isEmpty
        return Array(state.watches.values)
      }
      if watches.isEmpty { return }
      for watch in watches { watch.look() }
    }
  }
}

/// A task that waits and a reference of its own to the event it waits for.
///
/// Apart from the waiter, which a driver that never calls back never lets go of: the event, and
/// with it queues and buffers, must not leak along.
final class EventWatch: Sendable {
  let waiter = EventWaiter()
  private let event: CLHandle<EventKind>

  init(_ event: OpaquePointer) {
    clRetainEvent(event)  // fails for an invalid event only
    self.event = CLHandle(adopting: event)
  }

  /// Resumes the task if the command has ended.
  func look() {
    var status: Int32 = CL_QUEUED
    let code = clGetEventInfo(
      event.pointer, cl_event_info(CL_EVENT_COMMAND_EXECUTION_STATUS),
      MemoryLayout<Int32>.size, &status, nil)
    // A failed look says nothing about the command; the next one may.
    if code == CL_SUCCESS && status <= CL_COMPLETE { waiter.resume(.success(status)) }
  }
}
