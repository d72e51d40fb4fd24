/// A command's life on the device's clock, in nanoseconds. Only differences mean anything.
package struct EventProfile: Hashable, Sendable {
  /// The host enqueued the command.
  package let queued: UInt64
  /// The command was handed to the device.
  package let submitted: UInt64
  /// The device began.
  package let started: UInt64
  /// The device was done.
  package let ended: UInt64

  /// How long the device worked, in nanoseconds.
  package var duration: UInt64 { ended >= started ? ended - started : 0 }
}
