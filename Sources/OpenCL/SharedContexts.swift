internal import Synchronization

extension Context {
  private static let shared = Mutex<[Device: Context]>([:])

  /// The process's context of a device: made once, kept to the end.
  ///
  /// Programs and memory are then shared by all who use the device. And PoCL up to 5 can stop the process with a failed
  /// assertion (`pocl_release_dlhandle_cache`) when contexts come and go on several threads.
  package static func shared(for device: Device) throws(OpenCLError) -> Context {
    let result: Result<Context, OpenCLError> = shared.withLock { contexts in
      if let context = contexts[device] { return .success(context) }
      return Result { () throws(OpenCLError) in
        let context = try Context(device: device)
        contexts[device] = context
        return context
      }
    }
    return try result.get()
  }
}
