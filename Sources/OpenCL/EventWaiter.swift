internal import COpenCL
internal import Synchronization

/// Resumes a task once, whoever comes first: the driver's callback, the watchdog, or a failure to
/// arrange either.
final class EventWaiter: Sendable {
  /// The status in which the command ended, or why nobody knows.
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

  /// Asks the driver to resume the task. The callback does nothing else: calling OpenCL from inside
  /// one is undefined.
  func register(on event: OpaquePointer) throws(OpenCLError) {
    let context = Unmanaged.passRetained(self)
    do throws(OpenCLError) {
      try check("clSetEventCallback") {
        clSetEventCallback(
          event, CL_COMPLETE,
          { _, status, context in
            guard let context else { return }
            let waiter = Unmanaged<EventWaiter>.fromOpaque(context).takeRetainedValue()
            waiter.resume(.success(status))
          }, context.toOpaque())
      }
    } catch {
      context.release()  // nobody will call back
      throw error
    }
  }
}
