package import Engine
internal import OpenCL
internal import Synchronization

/// When the commands of a backend's submissions were queued, handed over, begun and ended, by the device's clock.
///
/// Grows with every command. A driver that does not tell a time does not disturb the submission: whoever asks for the
/// commands is told.
package final class Timeline: Sendable {
  /// One command, with its times in nanoseconds since the first was queued.
  package struct Command: Sendable, Hashable {
    /// The kinds of command.
    package enum Kind: String, Sendable, Hashable { case upload, kernel, download }

    package let kind: Kind
    /// A kernel's name with the headers it was compiled with, or the kind.
    package let name: String
    /// What a transfer copies; 0 for a kernel.
    package let bytes: Int
    /// The submission's number, from 0, in the order in which they were encoded.
    package let submission: Int
    /// The lane's number, from 0.
    package let lane: Int
    /// The host enqueued it.
    package fileprivate(set) var queued: UInt64
    /// It was handed to the device.
    package fileprivate(set) var submitted: UInt64
    /// The device began.
    package fileprivate(set) var started: UInt64
    /// The device was done.
    package fileprivate(set) var ended: UInt64
  }

  private struct State {
    var commands: [Command] = []
    var submissions = 0
    var failure: OpenCLError?
  }

  private let state = Mutex(State())

  /// The commands of all submissions that have ended well, in the order in which they were queued.
  /// - Throws: `EngineError` of kind `deviceFailure` if the driver did not tell all times.
  package func commands() throws(EngineError) -> [Command] {
    let (commands, failure) = state.withLock { ($0.commands, $0.failure) }
    if let failure { throw EngineError(.deviceFailure, "the timeline has gaps: \(failure)") }
    let origin = commands.map(\.queued).min() ?? 0
    return commands.sorted { ($0.queued, $0.started) < ($1.queued, $1.started) }.map { command in
      var command = command
      command.queued -= origin
      command.submitted = Self.distance(from: origin, to: command.submitted)
      command.started = Self.distance(from: origin, to: command.started)
      command.ended = Self.distance(from: origin, to: command.ended)
      return command
    }
  }

  /// A driver's clocks may disagree by a little.
  private static func distance(from origin: UInt64, to time: UInt64) -> UInt64 { time > origin ? time - origin : 0 }

  /// The commands of a submission that is about to be encoded.
  func submission(onLane lane: Int) -> SubmissionTimes {
    let number = state.withLock { state in
      defer { state.submissions += 1 }
      return state.submissions
    }
    return SubmissionTimes(submission: number, lane: lane, in: self)
  }

  fileprivate func add(_ commands: [Command]) { state.withLock { $0.commands += commands } }

  fileprivate func note(_ failure: OpenCLError) { state.withLock { $0.failure = $0.failure ?? failure } }
}

/// The events of one submission's commands, until it has ended.
final class SubmissionTimes {
  /// Lets a list hold move-only events.
  private final class Entry {
    let kind: Timeline.Command.Kind
    let name: String
    let bytes: Int
    let event: Event

    init(_ kind: Timeline.Command.Kind, _ name: String, bytes: Int, _ event: consuming Event) {
      self.kind = kind
      self.name = name
      self.bytes = bytes
      self.event = event
    }
  }

  private let submission: Int
  private let lane: Int
  private let timeline: Timeline
  private var entries: [Entry] = []

  fileprivate init(submission: Int, lane: Int, in timeline: Timeline) {
    self.submission = submission
    self.lane = lane
    self.timeline = timeline
  }

  func add(_ kind: Timeline.Command.Kind, bytes: Int, _ event: consuming Event) {
    entries.append(Entry(kind, kind.rawValue, bytes: bytes, event))
  }

  func add(_ program: KernelProgram, _ event: consuming Event) {
    let headers = program.source.headers.values.map(\.name).sorted()
    entries.append(Entry(.kernel, ([program.entry] + headers).joined(separator: " "), bytes: 0, event))
  }

  /// Asks for the times; all commands have ended.
  func finish() {
    do throws(OpenCLError) {
      var commands: [Timeline.Command] = []
      for entry in entries {
        let profile = try entry.event.profile()
        commands.append(
          Timeline.Command(
            kind: entry.kind, name: entry.name, bytes: entry.bytes, submission: submission, lane: lane,
            queued: profile.queued, submitted: profile.submitted, started: profile.started, ended: profile.ended))
      }
      timeline.add(commands)
    } catch { timeline.note(error) }
  }
}
