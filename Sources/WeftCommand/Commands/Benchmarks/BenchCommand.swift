public import ArgumentParser
import Engine
import Foundation
import OpenCLBackend
import Weft

struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure this device.",
    discussion: "Benchmarks/Peers measures PyTorch on the same shapes.",
    subcommands: [
      BenchPairsCommand.self, BenchLinksCommand.self, BenchLossCommand.self, BenchEncoderCommand.self,
      BenchConvolutionCommand.self, BenchUNetCommand.self, BenchDenoiseCommand.self, BenchAverageCommand.self,
      BenchNeighboursCommand.self, BenchArgmaxableCommand.self,
    ])
}

extension TileShape.Variant: ExpressibleByArgument {}

/// A device, and which of its two kinds of tiles.
struct TileOptions: ParsableArguments {
  @OptionGroup var device: DeviceOptions

  @Option(help: ArgumentHelp("Tiles to use, whatever the device's kind.", valueName: "cpu|gpu"))
  var variant: TileShape.Variant?

  func engine(recordsTimeline: Bool = false) throws -> Engine {
    try Engine(
      DeviceSelection(device.device), variant: variant, recordsTimeline: recordsTimeline, logger: device.logger)
  }
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
}

/// Where a benchmark runs and how often.
struct BenchOptions: ParsableArguments {
  @OptionGroup private var tiles: TileOptions
  @OptionGroup private var repetition: RepetitionOptions
  @OptionGroup private var timeline: TimelineOptions

  /// Whether the report is for a program.
  var json: Bool { repetition.json }

  func engine() throws -> Engine {
    let engine = try tiles.engine(recordsTimeline: timeline.isWanted)
    try timeline.check(engine)
    return engine
  }

  /// An engine at a precision, for what follows it.
  func engine(_ precision: PrecisionOptions) throws -> Engine { precision.applied(to: try engine()) }

  func measure(_ body: () async throws -> Void) async throws -> Measurement {
    try await Measurement(warmup: repetition.warmup, repetitions: repetition.repetitions, body)
  }

  /// Prints a report: the times, what follows from them, and the device.
  func show(_ measurement: Measurement, on engine: Engine, _ entries: [ReportEntry]) throws {
    try show(ReportEntry.timings(measurement) + entries, on: engine)
  }

  /// Prints a report whose times are among its entries.
  func show(_ entries: [ReportEntry], on engine: Engine) throws {
    try timeline.write(engine)
    try BenchReport(entries: entries + ReportEntry.device(engine)).show(json: json)
  }
}

/// Seconds of repeated runs.
struct Measurement {
  private let sorted: [Double]
  /// Seconds of all processors together.
  private let processorTimes: [Double]

  /// Runs `body` `warmup` times uncounted, then `repetitions` times.
  init(warmup: Int, repetitions: Int, _ body: () async throws -> Void) async throws {
    for _ in 0..<warmup { try await body() }
    var (seconds, processor): ([Double], [Double]) = ([], [])
    for _ in 0..<max(1, repetitions) {
      let before = processorSeconds()
      let duration = try await ContinuousClock().measure { try await body() }
      processor.append(processorSeconds() - before)
      seconds.append(duration / .seconds(1))
    }
    (sorted, processorTimes) = (seconds.sorted(), processor.sorted())
  }

  var median: Double { Self.middle(of: sorted) }
  var processorMedian: Double { Self.middle(of: processorTimes) }

  private static func middle(of sorted: [Double]) -> Double {
    let middle = sorted.count / 2
    return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
  }

  var least: Double { sorted[0] }
  var most: Double { sorted[sorted.count - 1] }
}

/// What a benchmark tells: a table for people, one object for programs.
struct BenchReport: Report {
  let entries: [ReportEntry]

  func text(on terminal: Terminal) -> String {
    var table = TextTable([.text(""), .text("")])
    for entry in entries { table.addRow([entry.title, entry.text]) }
    return table.render(on: terminal)
  }

  func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: FieldName.self)
    for entry in entries { try fields.encode(entry.value, forKey: FieldName(entry.name)) }
  }
}

/// One line of a benchmark's report.
struct ReportEntry {
  /// The name in JSON.
  let name: String
  /// The name for people.
  let title: String
  let value: any Encodable & Sendable
  /// The value for people.
  let text: String

  static func seconds(_ name: String, _ title: String, _ value: Double) -> ReportEntry {
    ReportEntry(name: name, title: title, value: value, text: String(format: "%.2f ms", value * 1000))
  }

  /// Seconds of something that takes many.
  static func duration(_ name: String, _ title: String, _ value: Double) -> ReportEntry {
    ReportEntry(name: name, title: title, value: value, text: "\(Quantity.short(value)) s")
  }

  static func number(_ name: String, _ title: String, _ value: Double, _ format: String) -> ReportEntry {
    ReportEntry(name: name, title: title, value: value, text: String(format: format, value))
  }

  static func bytes(_ name: String, _ title: String, _ value: Int) -> ReportEntry {
    let text = String(format: "%.1f MiB", Double(value) / Double(1 << 20))
    return ReportEntry(name: name, title: title, value: value, text: text)
  }

  static func integer(_ name: String, _ title: String, _ value: Int) -> ReportEntry {
    ReportEntry(name: name, title: title, value: value, text: "\(value)")
  }

  static func string(_ name: String, _ title: String, _ value: String) -> ReportEntry {
    ReportEntry(name: name, title: title, value: value, text: value)
  }

  static func timings(_ measurement: Measurement) -> [ReportEntry] {
    [
      .seconds("median_seconds", "median", measurement.median),
      .seconds("min_seconds", "fastest", measurement.least),
      .seconds("max_seconds", "slowest", measurement.most),
      .seconds("cpu_seconds", "processors", measurement.processorMedian),
    ]
  }

  static func device(_ engine: Engine) -> [ReportEntry] {
    [
      .bytes("peak_bytes", "peak device memory", engine.memory.peakBytes),
      .string("device", "device", engine.device.name),
      .string("variant", "tiles", engine.device.variant),
      .string("precision", "precision", engine.precision.rawValue),
    ]
  }
}

/// Normal numbers from a seed, for benchmark inputs.
func normalNumbers(_ count: Int, seed: UInt64) -> [Float] {
  var generator = SplitMix64(seed: seed)
  return (0..<count).map { _ in
    let radius = (-2 * log(Double.random(in: Double.leastNonzeroMagnitude..<1, using: &generator))).squareRoot()
    return Float(radius * cos(2 * .pi * Double.random(in: 0..<1, using: &generator)))
  }
}
