internal import COpenCL

/// The world of one device: its buffers, programs and queues know each other, and no others.
package final class Context: Sendable {
  /// The device it was made for.
  package let device: Device
  let handle: CLHandle<ContextKind>

  /// Opens `device`.
  package init(device: Device) throws(OpenCLError) {
    let properties: [cl_context_properties] = [
      cl_context_properties(CL_CONTEXT_PLATFORM),
      Int(bitPattern: device.platformIdentity.pointer), 0,
    ]
    var pointer: OpaquePointer? = device.identity.pointer
    handle = CLHandle(
      adopting: try create("clCreateContext", device.name) {
        code in keepingIgnoredSignals { clCreateContext(properties, 1, &pointer, nil, nil, code) }
      })
    self.device = device
  }

  /// Reserves device memory. The content is undefined.
  ///
  /// Drivers may put off the allocation itself: a buffer that does not fit may be reported by the
  /// first command that uses it.
  ///
  /// - Parameters:
  ///   - byteCount: the size in bytes, at least 1.
  ///   - access: what kernels do with the memory.
  /// - Returns: the buffer.
  /// - Throws: an error with `isExhaustion` if there is too little memory.
  package func makeBuffer(
    byteCount: Int, access: Buffer.Access = .readWrite
  ) throws(OpenCLError) -> Buffer {
    precondition(byteCount > 0, "a buffer holds at least one byte")
    let pointer = try create("clCreateBuffer", "\(byteCount) bytes on \(device.name)") {
      clCreateBuffer(handle.pointer, access.flags, byteCount, nil, $0)
    }
    return Buffer(adopting: pointer, byteCount: byteCount)
  }
}

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
