import ArgumentParser
import Engine
import OpenCLBackend

/// Shows how transfers, kernels and the host's encoding lie in time.
struct TimelineOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Write when each upload, kernel and download was queued, handed over, begun and ended into this file, for chrome://tracing or ui.perfetto.dev.",
      valueName: "file"))
  var timeline: String?

  /// Whether the engine has to record one.
  var isWanted: Bool { timeline != nil }

  func validate() throws {
    if timeline?.isEmpty == true || timeline == "-" {
      throw ValidationError("--timeline needs the name of a file: standard output is for results")
    }
  }

  /// Refuses a device that has no commands to time.
  func check(_ engine: Engine) throws {
    if isWanted && Self.timeline(of: engine) == nil {
      throw ValidationError("--timeline shows the commands of an OpenCL device; \(engine.device.name) has none")
    }
  }

  /// Writes what the engine's device has done, if a timeline is wanted.
  func write(_ engine: Engine) throws {
    guard let path = timeline, let timeline = Self.timeline(of: engine) else { return }
    let commands = try timeline.commands()
    let file = try OutputFile(path: path)
    try file.write(Self.trace(commands, device: engine.device))
    try file.commit()
  }

  private static func timeline(of engine: Engine) -> Timeline? { (engine.backend as? OpenCLBackend)?.timeline }

  /// In Chrome's trace format: two processes, the host with a span for each submission from its first command that was
  /// queued to its last, and the device with a span for each command; lanes are their threads. Spans are in microseconds,
  /// all times of a command in nanoseconds among its arguments.
  static func trace(_ commands: [Timeline.Command], device: DeviceDescription) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.field("displayTimeUnit", "ns")
    writer.name("traceEvents")
    writer.beginArray()
    func name(_ kind: String, _ name: String, process: Int, thread: Int = 0) {
      writer.beginObject()
      writer.field("name", kind)
      writer.field("ph", "M")
      writer.field("pid", process)
      writer.field("tid", thread)
      writer.name("args")
      writer.beginObject()
      writer.field("name", name)
      writer.endObject()
      writer.endObject()
    }
    func span(
      _ name: String, _ category: String, process: Int, thread: Int, _ start: UInt64, _ end: UInt64,
      arguments: [(String, UInt64)]
    ) {
      writer.beginObject()
      writer.field("name", name)
      writer.field("cat", category)
      writer.field("ph", "X")
      writer.field("ts", Double(start) / 1000)
      writer.field("dur", Double(max(start, end) - start) / 1000)
      writer.field("pid", process)
      writer.field("tid", thread)
      writer.name("args")
      writer.beginObject()
      for (name, value) in arguments { writer.field(name, value) }
      writer.endObject()
      writer.endObject()
    }

    name("process_name", "host: commands queued", process: 0)
    name("process_name", "device: \(device.name)", process: 1)
    for lane in Set(commands.map(\.lane)).sorted() {
      for process in 0...1 { name("thread_name", "lane \(lane)", process: process, thread: lane) }
    }
    let submissions = Dictionary(grouping: commands, by: \.submission)
    for (number, own) in submissions.sorted(by: { $0.key < $1.key }) {
      guard let first = own.first, let last = own.last else { continue }
      span(
        "submission \(number)", "host", process: 0, thread: first.lane, first.queued, last.queued,
        arguments: [("submission", UInt64(number)), ("commands", UInt64(own.count))])
    }
    for command in commands {
      span(
        command.name, command.kind.rawValue, process: 1, thread: command.lane, command.started, command.ended,
        arguments: [
          ("submission", UInt64(command.submission)), ("bytes", UInt64(command.bytes)), ("queued", command.queued),
          ("submitted", command.submitted), ("started", command.started), ("ended", command.ended),
        ])
    }
    writer.endArray()
    writer.endObject()
    writer.newline()
    return writer.bytes
  }
}
