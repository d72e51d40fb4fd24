internal import COpenCL
internal import Synchronization

/// Tells how an enqueued command fares. Any number of tasks may wait for one event.
package struct Event: ~Copyable, Sendable {
  private let object: EventObject
  /// Kept alive, so that it can be flushed; nil for an event that the host completes itself.
  private let queue: CommandQueue?
  /// What errors call the command: a kernel's name, `read`, `write` or `marker`.
  package let command: String

  init(adopting pointer: OpaquePointer, of queue: CommandQueue?, command: String) {
    object = EventObject(adopting: pointer)
    self.queue = queue
    self.command = command
  }

  /// Valid as long as the event lives.
  var pointer: OpaquePointer { object.handle.pointer }

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
    var pointer: OpaquePointer? = pointer
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
    let pointer = pointer
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
  private borrowing func executionStatus() throws(OpenCLError) -> Int32 { try object.executionStatus() }

  private borrowing func throwIfFailed(_ status: Int32) throws(OpenCLError) {
    try check("command", "\(command) ended with an error") { min(status, CL_COMPLETE) }
  }

  /// The status in which the command ends: `CL_COMPLETE` or an error.
  private borrowing func nextStatus() async throws(OpenCLError) -> Int32 {
    let object = object
    let queue = queue
    let watch = EventWatch(object)
    defer {
      EventWatchdog.shared.forget(watch)
      EventCallbacks.shared.forget(watch.waiter)
    }
    let outcome = await withCheckedContinuation { continuation in
      watch.waiter.suspend(continuation)
      do throws(OpenCLError) {
        try EventCallbacks.shared.register(watch.waiter, on: object)
        try queue?.flush()  // an unflushed queue may never start the command
        EventWatchdog.shared.look(after: watch)
      } catch {
        watch.waiter.resume(.failure(error))
      }
    }
    return try outcome.get()
  }
}

extension Event {
  /// An event that the host itself completes: a stand-in for a command that ends when and how a
  /// test wants.
  static func host(context: Context) throws(OpenCLError) -> Event {
    let pointer = try create("clCreateUserEvent") { clCreateUserEvent(context.handle.pointer, $0) }
    return Event(adopting: pointer, of: nil, command: "user event")
  }

  /// Completes an event made by `host`, once; a negative status is an error.
  borrowing func complete(_ status: CLStatus = .success) throws(OpenCLError) {
    let pointer = pointer
    try check("clSetUserEventStatus") { clSetUserEventStatus(pointer, status.rawValue) }
  }
}

extension CommandQueue {
  /// An event that completes after `event` has, and fails if that fails.
  func marker(after event: borrowing Event) throws(OpenCLError) -> Event {
    var awaited: OpaquePointer? = event.pointer
    return try self.event("marker", "clEnqueueMarkerWithWaitList") {
      clEnqueueMarkerWithWaitList(handle.pointer, 1, &awaited, $0)
    }
  }
}

/// A command's life on the device's clock, in nanoseconds. Only differences mean anything.
package struct EventProfile: Hashable, Sendable {
  /// The host enqueued the command.
  package let queued: UInt64
  /// The command was handed to the device.
  package let submitted: UInt64
  /// The device began.
  package let started: UInt64
  /// The device was done.
  package let ended: UInt64

  /// How long the device worked, in nanoseconds.
  package var duration: UInt64 { ended >= started ? ended - started : 0 }
}

/// Resumes a task once, at the first of the driver's callback, the watchdog, or a failure to
/// arrange either.
final class EventWaiter: Sendable {
  /// The status in which the command ended, or why that is not known.
  typealias Outcome = Result<Int32, OpenCLError>

  private let continuation = Mutex<CheckedContinuation<Outcome, Never>?>(nil)

  /// Takes charge of a suspended task.
  func suspend(_ task: CheckedContinuation<Outcome, Never>) {
    continuation.withLock { $0 = task }
  }

  /// Resumes the task; does nothing from the second time on.
  func resume(_ outcome: Outcome) {
    let task = continuation.withLock { waiting in
      defer { waiting = nil }
      return waiting
    }
    task?.resume(returning: outcome)
  }
}

/// The waiters that drivers have been asked to call back.
///
/// A driver is given a number and never a reference: one that calls twice, after the event is gone or not at all neither
/// touches freed memory nor keeps any.
final class EventCallbacks: Sendable {
  /// The table of the process.
  static let shared = EventCallbacks()

  private struct State {
    var waiters: [Int: EventWaiter] = [:]
    var numbers: [ObjectIdentifier: Int] = [:]
    var lastNumber = 0

    mutating func enter(_ waiter: EventWaiter) -> Int {
      lastNumber += 1
      waiters[lastNumber] = waiter
      numbers[ObjectIdentifier(waiter)] = lastNumber
      return lastNumber
    }
  }

  private let state = Mutex(State())

  /// Asks the driver to resume the waiter's task. The callback does nothing else: calling OpenCL from inside one is
  /// undefined.
  func register(_ waiter: EventWaiter, on event: EventObject) throws(OpenCLError) {
    let number = state.withLock { $0.enter(waiter) }
    try check("clSetEventCallback") {
      clSetEventCallback(
        event.handle.pointer, CL_COMPLETE,
        { _, status, number in EventCallbacks.shared.waiter(Int(bitPattern: number))?.resume(.success(status)) },
        UnsafeMutableRawPointer(bitPattern: number))
    }
  }

  /// The waiter's task has been resumed, or will not be by a driver.
  func forget(_ waiter: EventWaiter) {
    state.withLock { state in
      guard let number = state.numbers.removeValue(forKey: ObjectIdentifier(waiter)) else { return }
      state.waiters[number] = nil
    }
  }

  private func waiter(_ number: Int) -> EventWaiter? { state.withLock { $0.waiters[number] } }
}

/// An event's object. Whoever watches the event shares it, so that no reference of OpenCL's is needed for that.
final class EventObject: Sendable {
  let handle: CLHandle<EventKind>

  /// Takes over the reference that an enqueued command handed out.
  init(adopting pointer: OpaquePointer) { handle = CLHandle(adopting: pointer) }

  /// Positive while the command is to come or running, `CL_COMPLETE`, or its error.
  func executionStatus() throws(OpenCLError) -> Int32 {
    let pointer = handle.pointer
    return try readValue("clGetEventInfo") {
      clGetEventInfo(pointer, cl_event_info(CL_EVENT_COMMAND_EXECUTION_STATUS), $0, $1, $2)
    }
  }
}

/// Looks at awaited events now and then, in case the driver never calls back.
///
/// The standard promises a callback for a command that fails as well, but PoCL stays silent
/// (pocl/pocl#1430): a task would never end waiting for exactly the commands that went wrong. One timer
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

/// A task that waits and the event it waits for.
final class EventWatch: Sendable {
  let waiter = EventWaiter()
  private let event: EventObject
  private let failedLooks = Atomic(0)

  /// Looks that may fail one after the other: a failed one says nothing about the command, and the next one may.
  static let failureLimit = 20

  init(_ event: EventObject) { self.event = event }

  /// Resumes the task if the command has ended, or if a driver keeps refusing to say.
  func look() {
    do throws(OpenCLError) {
      let status = try event.executionStatus()
      failedLooks.store(0, ordering: .relaxed)
      if status <= CL_COMPLETE { waiter.resume(.success(status)) }
    } catch {
      guard failedLooks.wrappingAdd(1, ordering: .relaxed).newValue >= Self.failureLimit else { return }
      waiter.resume(.failure(error))
    }
  }
}
