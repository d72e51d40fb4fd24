internal import COpenCL

/// Host memory that the driver allocated, for transfers. GPU drivers pin it: the device reads and writes it directly, while
/// it computes, where other memory is first copied to such memory by the driver.
// Sendable: the bytes are the owner's to guard, as those of any allocation are.
package final class TransferMemory: @unchecked Sendable {
  /// The memory, mapped until the object goes; its start is a multiple of 64 bytes where the device aligns buffers so.
  package let bytes: UnsafeMutableRawBufferPointer

  private let queue: CommandQueue
  private let handle: CLHandle<MemoryKind>

  /// Allocates memory and maps it. Waits for what was enqueued before.
  ///
  /// - Parameters:
  ///   - byteCount: the size in bytes, at least 1.
  ///   - queue: maps it, and unmaps it at the end.
  /// - Throws: an error with `isExhaustion` if there is too little memory.
  package init(byteCount: Int, queue: CommandQueue) throws(OpenCLError) {
    precondition(byteCount > 0, "transfer memory holds at least one byte")
    let flags = cl_mem_flags(CL_MEM_READ_WRITE) | cl_mem_flags(CL_MEM_ALLOC_HOST_PTR)
    let buffer = try create("clCreateBuffer", "\(byteCount) bytes of transfer memory") {
      clCreateBuffer(queue.context.handle.pointer, flags, byteCount, nil, $0)
    }
    handle = CLHandle(adopting: buffer)
    let access = cl_map_flags(CL_MAP_READ) | cl_map_flags(CL_MAP_WRITE)
    var start: UnsafeMutableRawPointer?
    try check("clEnqueueMapBuffer", "\(byteCount) bytes") {
      var code: Int32 = CL_SUCCESS
      start = clEnqueueMapBuffer(
        queue.handle.pointer, buffer, cl_bool(CL_TRUE), access, 0, byteCount, 0, nil, nil, &code)
      return code == CL_SUCCESS && start == nil ? CL_OUT_OF_RESOURCES : code
    }
    bytes = UnsafeMutableRawBufferPointer(start: start, count: byteCount)
    self.queue = queue
  }

  deinit {
    let code = clEnqueueUnmapMemObject(queue.handle.pointer, handle.pointer, bytes.baseAddress, 0, nil, nil)
    if code != CL_SUCCESS { FailedReleases.note("clEnqueueUnmapMemObject", CLStatus(rawValue: code)) }
    // The memory is the system's again when the command has run, and nothing else may come to this queue.
    clFlush(queue.handle.pointer)
  }
}
