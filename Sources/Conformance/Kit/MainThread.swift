internal import Foundation

/// Runs all tasks and actors of this process on the main thread.
///
/// Oclgrind's `--uninitialized` keeps its shadow of memory in the thread that made the context, and
/// stops with a bad access when another thread brings data: under it, one thread must do everything.
package enum MainThread {
  private typealias Job = @convention(thin) (UnownedJob) -> Void
  private typealias Enqueue = @convention(thin) (UnownedJob, Job) -> Void

  /// Moves this task, and all that run from here on, to the main thread if Oclgrind looks for
  /// uninitialised values. Call it before an OpenCL context is made.
  ///
  /// - Returns: whether tasks were moved.
  @discardableResult
  package static func takeTasksUnderOclgrind() async -> Bool {
    guard ProcessInfo.processInfo.environment["OCLGRIND_UNINITIALIZED"] != nil else { return false }
    // The hook that Swift's concurrency runtime offers to tools.
    guard let symbol = dlsym(nil, "swift_task_enqueueGlobal_hook") else { return false }
    symbol.assumingMemoryBound(to: Enqueue?.self).pointee = { job, _ in
      MainActor.shared.enqueue(job)
    }
    await Task.yield()
    return true
  }
}
