internal import Logging
internal import OpenCL
internal import Synchronization

/// A device as the process holds it: opened once, by whoever needs it first, and kept to the end. Backends of one device
/// share its compiled programs.
final class DeviceSession: Sendable {
  let context: Context
  let programs: ProgramStore
  /// The one queue of a device that has to make do with one.
  private let onlyQueue: CommandQueue?

  private static let sessions = Mutex<[Device: DeviceSession]>([:])

  private init(_ device: Device, logger: Logger) throws(OpenCLError) {
    context = try Context(device: device)
    programs = ProgramStore(context: context, cache: .standard, logger: logger)
    onlyQueue = DeviceQuirks(device).sharesOneQueue ? try CommandQueue(context: context) : nil
  }

  /// The session of a device.
  /// - Parameters:
  ///   - device: the device.
  ///   - logger: is told when kernels have to be compiled, if the session is new.
  /// - Returns: the one there is, or a new one.
  /// - Throws: the driver's refusal.
  static func open(_ device: Device, logger: Logger) throws(OpenCLError) -> DeviceSession {
    let result = sessions.withLock { sessions in
      Result { () throws(OpenCLError) in
        if let session = sessions[device] { return session }
        let session = try DeviceSession(device, logger: logger)
        sessions[device] = session
        return session
      }
    }
    return try result.get()
  }

  /// A queue for a lane: one of its own where the device can have several.
  func makeQueue() throws(OpenCLError) -> CommandQueue {
    if let onlyQueue { return onlyQueue }
    return try CommandQueue(context: context)
  }
}
