internal import COpenCL

extension Event {
  /// An event that the host itself completes: a stand-in for a command that ends when and how a
  /// test wants.
  static func host(context: Context) throws(OpenCLError) -> Event {
    let pointer = try create("clCreateUserEvent") { clCreateUserEvent(context.handle.pointer, $0) }
    return Event(adopting: pointer, of: nil, command: "user event")
  }

  /// Completes an event made by `host`, once; a negative status is an error.
  borrowing func complete(_ status: CLStatus = .success) throws(OpenCLError) {
    let pointer = handle.pointer
    try check("clSetUserEventStatus") { clSetUserEventStatus(pointer, status.rawValue) }
  }
}

extension CommandQueue {
  /// An event that completes after `event` has, and fails if that fails.
  func marker(after event: borrowing Event) throws(OpenCLError) -> Event {
    var awaited: OpaquePointer? = event.handle.pointer
    return try self.event("marker", "clEnqueueMarkerWithWaitList") {
      clEnqueueMarkerWithWaitList(handle.pointer, 1, &awaited, $0)
    }
  }
}
