internal import Foundation
internal import Synchronization

/// Makes a call in which a driver may set signal handlers, and has the signals ignored that were ignored before.
///
/// A compiler inside a driver, such as PoCL's, handles the signals that end a process in order to remove its temporary
/// files. A process that was started to ignore one, as by `nohup`, would die of it from then on. Handlers of the host
/// process need no help: such a compiler hands a signal on to the handler that it replaced.
func keepingIgnoredSignals<Result>(_ call: () -> Result) -> Result {
  let ignored = (1..<32).filter(isIgnored)
  let result = call()
  for number in ignored where !isIgnored(number) { _ = signal(number, SIG_IGN) }
  return result
}

/// Makes a call that may start a driver: one at a time, and with ignored signals kept.
///
/// PoCL 3.1 makes its devices ready in the first such call, and answers a second thread before they are: a device then has
/// no name, and asking for it ends the process.
func startingDriver(_ call: () -> Int32) -> Int32 { driverStart.withLock { _ in keepingIgnoredSignals(call) } }

private let driverStart = Mutex(())

private func isIgnored(_ number: Int32) -> Bool {
  var action = sigaction()
  guard sigaction(number, nil, &action) == 0 else { return false }
  return unsafeBitCast(action.__sigaction_handler.sa_handler, to: UInt.self) == unsafeBitCast(SIG_IGN, to: UInt.self)
}
