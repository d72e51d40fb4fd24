internal import COpenCL

/// A piece of device memory, given back when the last reference goes.
///
/// Commands already enqueued keep the memory alive until they have finished.
package final class Buffer: Sendable {
  /// What kernels may do with a buffer; the host may always read and write it.
  package enum Access: Sendable, Hashable {
    case readWrite, readOnly, writeOnly

    var flags: cl_mem_flags {
      switch self {
      case .readWrite: cl_mem_flags(CL_MEM_READ_WRITE)
      case .readOnly: cl_mem_flags(CL_MEM_READ_ONLY)
      case .writeOnly: cl_mem_flags(CL_MEM_WRITE_ONLY)
      }
    }
  }

  /// The size in bytes.
  package let byteCount: Int
  let handle: CLHandle<MemoryKind>

  init(adopting pointer: OpaquePointer, byteCount: Int) {
    handle = CLHandle(adopting: pointer)
    self.byteCount = byteCount
  }

  /// Stops the program if a transfer would leave the buffer: drivers need not notice.
  func preconditionContains(offset: Int, byteCount count: Int) {
    precondition(
      offset >= 0 && count >= 0 && offset <= byteCount && count <= byteCount - offset,
      "\(count) bytes at offset \(offset) lie outside a buffer of \(byteCount) bytes")
  }
}
