import ArgumentParser
import Engine
import Foundation

/// Seconds of repeated runs.
struct Measurement {
  private let sorted: [Double]

  /// Runs `body` `warmup` times uncounted, then `repetitions` times.
  init(warmup: Int, repetitions: Int, _ body: () async throws -> Void) async throws {
    for _ in 0..<warmup { try await body() }
    var seconds: [Double] = []
    for _ in 0..<max(1, repetitions) {
      let duration = try await ContinuousClock().measure { try await body() }
      seconds.append(duration / .seconds(1))
    }
    sorted = seconds.sorted()
  }

  var median: Double {
    let middle = sorted.count / 2
    return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
  }
  var least: Double { sorted[0] }
  var most: Double { sorted[sorted.count - 1] }
}

/// How often a benchmark runs.
struct RepetitionOptions: ParsableArguments {
  @Option(parsing: .unconditional, help: "Runs that are timed.")
  var repetitions = 9

  @Option(parsing: .unconditional, help: "Runs before them that are not; the first compiles the kernels.")
  var warmup = 2

  @Flag(help: "Print one JSON object instead of a table.")
  var json = false

  func validate() throws {
    guard repetitions > 0, warmup >= 0 else { throw ValidationError("--repetitions must be positive") }
  }

  func measure(_ body: () async throws -> Void) async throws -> Measurement {
    try await Measurement(warmup: warmup, repetitions: repetitions, body)
  }

  /// Prints a report: names with values, first as JSON names, second as people read them.
  func show(_ entries: [ReportEntry]) { entries.show(json: json) }
}

extension [ReportEntry] {
  /// Prints a report as a table or as one JSON object.
  func show(json: Bool) {
    guard json else {
      var table = TextTable([.text(""), .text("")])
      for entry in self { table.addRow([entry.title, entry.text]) }
      print(table.render(on: Terminal(describing: STDOUT_FILENO)), terminator: "")
      return
    }
    var writer = JSONWriter()
    writer.beginObject()
    for entry in self {
      writer.name(entry.name)
      switch entry.value {
      case .number(let value): writer.number(value)
      case .integer(let value): writer.integer(value)
      case .string(let value): writer.string(value)
      }
    }
    writer.endObject()
    writer.newline()
    print(writer.string, terminator: "")
  }
}

/// One line of a benchmark's report.
struct ReportEntry {
  enum Value {
    case number(Double)
    case integer(Int)
    case string(String)
  }

  /// The name in JSON.
  let name: String
  /// The name for people.
  let title: String
  let value: Value
  /// The value for people.
  let text: String

  static func seconds(_ name: String, _ title: String, _ value: Double) -> ReportEntry {
    ReportEntry(name: name, title: title, value: .number(value), text: String(format: "%.2f ms", value * 1000))
  }

  /// Seconds of something that takes many.
  static func duration(_ name: String, _ title: String, _ value: Double) -> ReportEntry {
    ReportEntry(name: name, title: title, value: .number(value), text: "\(Quantity.short(value)) s")
  }

  static func number(_ name: String, _ title: String, _ value: Double, _ format: String) -> ReportEntry {
    ReportEntry(name: name, title: title, value: .number(value), text: String(format: format, value))
  }

  static func bytes(_ name: String, _ title: String, _ value: Int) -> ReportEntry {
    let text = String(format: "%.1f MiB", Double(value) / Double(1 << 20))
    return ReportEntry(name: name, title: title, value: .integer(value), text: text)
  }

  static func integer(_ name: String, _ title: String, _ value: Int) -> ReportEntry {
    ReportEntry(name: name, title: title, value: .integer(value), text: "\(value)")
  }

  static func string(_ name: String, _ title: String, _ value: String) -> ReportEntry {
    ReportEntry(name: name, title: title, value: .string(value), text: value)
  }

  static func timings(_ measurement: Measurement) -> [ReportEntry] {
    [
      .seconds("median_seconds", "median", measurement.median),
      .seconds("min_seconds", "fastest", measurement.least),
      .seconds("max_seconds", "slowest", measurement.most),
    ]
  }

  static func device(_ engine: Engine) -> [ReportEntry] {
    [
      .bytes("peak_bytes", "peak device memory", engine.memory.peakBytes),
      .string("device", "device", engine.device.name),
      .string("variant", "tiles", engine.device.variant),
    ]
  }
}
