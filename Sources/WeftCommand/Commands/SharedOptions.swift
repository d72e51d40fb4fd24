public import ArgumentParser
import Foundation
import Logging
public import Weft

/// Where a command computes.
struct DeviceOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Where to compute: auto (the best OpenCL device), cpu (Weft's slow reference), opencl, opencl:INDEX, or part of a device's name. See 'weft devices'.",
      valueName: "device"))
  var device = "auto"

  @Flag(help: "Say more on standard error: which tuning is used (see 'weft tune').")
  var verbose = false

  /// Where the library's messages go.
  var logger: Logger { verbose ? CommandLog.verboseLogger : CommandLog.logger }

  func validate() throws {
    if device.isEmpty { throw ValidationError("--device needs a name") }
  }

  func engine(recordsTimeline: Bool = false) async throws -> Engine {
    let selection = DeviceSelection(device)
    if selection != .reference, let problem = ProcessLimits.problem(withDriver: true) { throw LimitError(problem) }
    return try Engine(selection, variant: nil, recordsTimeline: recordsTimeline, logger: logger)
  }
}

extension Precision: ExpressibleByArgument {}

/// How exactly networks and scores are computed.
struct PrecisionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How exactly to multiply: float32, bfloat16x3 (almost as exact, faster on GPUs with matrix units), or bfloat16 (two to three digits, the fastest). Sums are float32 always.",
      valueName: "precision"))
  var precision = Precision.float32

  /// An engine at this precision.
  func applied(to engine: Engine) -> Engine {
    if precision != .float32, engine.device.kind == .reference {
      engine.logger.warning("the reference implementation computes in double precision, whatever --precision says")
    }
    return engine.multiplying(at: precision)
  }
}

/// Which model a command uses.
struct ModelOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A model directory: the Hugging Face files and globalpointer.json or gplinker.json. Without it, the model that comes with Weft.",
      valueName: "directory"))
  var model: String?

  func directory() throws -> String { try model ?? BundledModels.directory() }
}

/// How spans are chosen and batches formed.
struct ExtractionOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,  // or a negative number would be read as an option
    help: ArgumentHelp(
      "Find spans with a score above this: below 0 finds more, above it only what is surer.",
      valueName: "score"))
  var threshold: Float = 0

  @Option(help: "Keep entities inside others (nested), or of overlapping ones only the best (flat).")
  var mode: OverlapMode = .nested

  @Option(
    help: ArgumentHelp(
      "Tokens computed in one batch. Changes speed and memory, never results. Chosen for the device by default.",
      valueName: "n"))
  var batchTokens: Int?

  @Option(
    help: ArgumentHelp(
      "Spans to look at in a window of text at most, the strongest, and of those 256 of a kind for relations and events; a text that had more says \"truncated\".",
      valueName: "n"))
  var maxSpans = Extractor.Options().maximumSpans

  @Flag(help: "Leave out events that say nothing another event of their type does not.")
  var dropSubsets = false

  func validate() throws {
    if threshold.isNaN { throw ValidationError("--threshold must be a number") }
    if maxSpans < 1 { throw ValidationError("--max-spans must be at least 1") }
    if let batchTokens, batchTokens < 1 { throw ValidationError("--batch-tokens must be at least 1") }
  }

  var options: Extractor.Options {
    Extractor.Options(
      threshold: threshold, mode: mode, batchTokens: batchTokens, maximumSpans: maxSpans,
      dropsSubsets: dropSubsets)
  }
}

extension OverlapMode: ExpressibleByArgument {}

/// Reads options of many values. ArgumentParser's own message for those is a list over many lines.
enum Choice {
  /// A value by its name.
  static func named<Value: RawRepresentable & CaseIterable>(_ text: String) throws -> Value
  where Value.RawValue == String {
    guard let value = Value(rawValue: text) else {
      throw ValidationError("known are \(Value.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return value
  }

  /// A seed.
  static func seed(_ text: String) throws -> UInt64 {
    guard let seed = UInt64(text) else {
      throw ValidationError("'\(text)' is no seed: a whole number from 0 to \(UInt64.max)")
    }
    return seed
  }

  /// Seeds separated by commas.
  static func seeds(_ text: String) throws -> [UInt64] {
    try text.split(separator: ",", omittingEmptySubsequences: false).map { try seed($0.trimmed) }
  }

  /// Numbers separated by commas.
  static func list<Number: LosslessStringConvertible>(_ text: String) throws -> [Number] {
    try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
      let part = part.trimmed
      guard let number = Number(part) else { throw ValidationError("'\(part)' is not one of the numbers it takes") }
      return number
    }
  }
}

extension Substring {
  /// Without the spaces at both ends.
  fileprivate var trimmed: String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}
