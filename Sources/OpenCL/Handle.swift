internal import COpenCL

/// Names the C function that gives an object back.
protocol CLReleasable {
  /// Drops one reference to the object.
  static func release(_ pointer: OpaquePointer)
}

/// Sole owner of one OpenCL object, released when the handle dies.
// Sendable: the standard makes objects usable from any thread, except a kernel whose arguments are
// being set; `Kernel` keeps that exception by setting them in mutating methods.
struct CLHandle<Kind: CLReleasable>: ~Copyable, @unchecked Sendable {
  /// Valid as long as the handle lives.
  let pointer: OpaquePointer

  /// Takes over the reference that a `clCreate…` call or an enqueued command handed out.
  init(adopting pointer: OpaquePointer) { self.pointer = pointer }

  deinit { Kind.release(pointer) }
}

// A failed release leaves nothing to be done, so the status is dropped.

enum ContextKind: CLReleasable {
  static func release(_ pointer: OpaquePointer) { clReleaseContext(pointer) }
}

enum MemoryKind: CLReleasable {
  static func release(_ pointer: OpaquePointer) { clReleaseMemObject(pointer) }
}

enum QueueKind: CLReleasable {
  static func release(_ pointer: OpaquePointer) { clReleaseCommandQueue(pointer) }
}

enum EventKind: CLReleasable {
  static func release(_ pointer: OpaquePointer) { clReleaseEvent(pointer) }
}

enum ProgramKind: CLReleasable {
  static func release(_ pointer: OpaquePointer) { clReleaseProgram(pointer) }
}

enum KernelKind: CLReleasable {
  static func release(_ pointer: OpaquePointer) { clReleaseKernel(pointer) }
}
