internal import Foundation
internal import Synchronization

/// Runs all tasks and actors of this process on one thread, if asked to.
///
/// Oclgrind's `--uninitialized` keeps its shadow of memory in the thread that made the context, and stops with a bad
/// access when another thread brings data. The main thread will not do: in an asynchronous program it hands its queue to
/// whichever worker is free.
package enum OneThread {
  private typealias Job = @convention(thin) (UnownedJob) -> Void
  private typealias Enqueue = @convention(thin) (UnownedJob, Job) -> Void
  private typealias LateJob = @convention(thin) (Int64, Int64, Int64, Int64, Int32, UnownedJob) -> Void
  private typealias EnqueueLate =
    @convention(thin) (Int64, Int64, Int64, Int64, Int32, UnownedJob, LateJob) -> Void

  /// Moves this task, and all that run from here on, to one thread if Oclgrind looks for uninitialised values. Call it
  /// before an OpenCL context is made.
  ///
  /// - Returns: whether tasks were moved.
  @discardableResult
  package static func takeTasksUnderOclgrind() async -> Bool {
    guard ProcessInfo.processInfo.environment["OCLGRIND_UNINITIALIZED"] != nil else { return false }
    // The hooks that Swift's concurrency runtime offers to tools: for jobs, and for those that sleep.
    guard let now = dlsym(nil, "swift_task_enqueueGlobal_hook"),
      let later = dlsym(nil, "swift_task_enqueueGlobalWithDeadline_hook")
    else { return false }
    now.assumingMemoryBound(to: Enqueue?.self).pointee = { job, _ in ThreadExecutor.shared.enqueue(job) }
    later.assumingMemoryBound(to: EnqueueLate?.self).pointee = { _, _, _, _, _, job, _ in
      // How long does not matter here, only where.
      DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(100)) { ThreadExecutor.shared.enqueue(job) }
    }
    // A yield that is answered before this task has suspended leaves it where it was.
    while !ThreadExecutor.isCurrent() { await Task.yield() }
    return true
  }
}

/// A thread that runs jobs in the order in which they come.
private final class ThreadExecutor: SerialExecutor {
  static let shared = ThreadExecutor()

  private static let mark = "weft.thread-executor"

  private let jobs = Mutex<[UnownedJob]>([])
  private let arrivals = DispatchSemaphore(value: 0)

  private init() {
    let thread = Thread { [unowned self] in
      Thread.current.threadDictionary[Self.mark] = true
      while true {
        arrivals.wait()
        let job = jobs.withLock { $0.removeFirst() }
        job.runSynchronously(on: asUnownedSerialExecutor())
      }
    }
    thread.stackSize = 8 << 20
    thread.start()
  }

  /// Whether the caller runs on the thread.
  static func isCurrent() -> Bool { Thread.current.threadDictionary[mark] != nil }

  func enqueue(_ job: consuming ExecutorJob) { enqueue(UnownedJob(job)) }

  func enqueue(_ job: UnownedJob) {
    jobs.withLock { $0.append(job) }
    arrivals.signal()
  }

  func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }
}
