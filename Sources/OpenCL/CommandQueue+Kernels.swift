internal import COpenCL

extension CommandQueue {
  /// Enqueues a run of `kernel` with the arguments it has now; they may be set anew on return.
  ///
  /// - Parameters:
  ///   - kernel: the kernel, every argument set.
  ///   - global: work-items along each of one to three dimensions, at least 1.
  ///   - local: work-items of a group along the same dimensions, dividing `global`; nil leaves the
  ///     choice to the driver.
  /// - Returns: the event of the run.
  /// - Throws: the driver's refusal, with the sizes it refused.
  package func enqueue(
    _ kernel: borrowing Kernel, global: [Int], local: [Int]? = nil
  ) throws(OpenCLError) -> Event {
    preconditionLegal(global: global, local: local)
    let (queue, pointer) = (handle.pointer, kernel.handle.pointer)
    let (name, limit) = (kernel.name, kernel.workGroupLimit)
    return try event(
      name, "clEnqueueNDRangeKernel", launchDetail(name, limit, global: global, local: local)
    ) {
      enqueueRange(pointer, on: queue, global: global, local: local, event: $0)
    }
  }

  /// `enqueue` for commands nobody waits for: a later marker, read or `finish` covers them.
  package func launch(
    _ kernel: borrowing Kernel, global: [Int], local: [Int]? = nil
  ) throws(OpenCLError) {
    preconditionLegal(global: global, local: local)
    let (queue, pointer) = (handle.pointer, kernel.handle.pointer)
    let (name, limit) = (kernel.name, kernel.workGroupLimit)
    try check(
      "clEnqueueNDRangeKernel", launchDetail(name, limit, global: global, local: local)
    ) {
      enqueueRange(pointer, on: queue, global: global, local: local, event: nil)
    }
  }

  private func preconditionLegal(global: [Int], local: [Int]?) {
    precondition((1...3).contains(global.count), "a kernel runs over one to three dimensions")
    precondition(global.allSatisfy { $0 > 0 }, "a kernel runs at least one work-item")
    guard let local else { return }
    precondition(local.count == global.count, "local and global sizes have the same dimensions")
    precondition(local.allSatisfy { $0 > 0 }, "a work-group has at least one work-item")
  }
}

private func enqueueRange(
  _ kernel: OpaquePointer, on queue: OpaquePointer, global: [Int], local: [Int]?,
  event: UnsafeMutablePointer<OpaquePointer?>?
) -> Int32 {
  let dimensions = cl_uint(global.count)
  // An array becomes a C pointer only where it is an argument, so the optional needs two calls.
  guard let local else {
    return clEnqueueNDRangeKernel(queue, kernel, dimensions, nil, global, nil, 0, nil, event)
  }
  return clEnqueueNDRangeKernel(queue, kernel, dimensions, nil, global, local, 0, nil, event)
}

/// What a person needs to know of a launch that failed; `limit` is the kernel's `workGroupLimit`.
private func launchDetail(
  _ kernel: String, _ limit: Int, global: [Int], local: [Int]?
) -> String {
  let group = local.map { "\($0)" } ?? "any"
  return "kernel \(kernel), global \(global), local \(group), at most \(limit) work-items a group"
}
