import ArgumentParser
import Engine
import Foundation
import ModelFiles
import Networks

struct BenchEncoderCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "encoder",
    abstract: "Time a BERT encoder with random weights.",
    usage: "weft bench encoder [<options>]")

  enum Shape: String, ExpressibleByArgument, CaseIterable {
    case minilm
    case bertBase = "bert-base"

    var configuration: BertConfiguration {
      switch self {
      case .minilm:
        BertConfiguration(
          hiddenSize: 384, layerCount: 6, headCount: 12, intermediateSize: 1536, vocabularySize: 30_522)
      case .bertBase:
        BertConfiguration(
          hiddenSize: 768, layerCount: 12, headCount: 12, intermediateSize: 3072, vocabularySize: 30_522)
      }
    }
  }

  @Option(help: "The encoder's shape: minilm (6 layers of 384) or bert-base (12 layers of 768).")
  var shape: Shape = .minilm

  @Option(parsing: .unconditional, help: "Sequences in the batch.") var batch = 16
  @Option(parsing: .unconditional, help: "Tokens of a sequence.") var length = 128

  @OptionGroup var tiles: TileOptions
  @OptionGroup var repetition: RepetitionOptions

  func validate() throws {
    guard (1...4_096).contains(batch), (1...512).contains(length) else {
      throw ValidationError("--batch must be from 1 to 4096 and --length from 1 to 512")
    }
  }

  func run() async throws {
    let engine = try tiles.engine()
    let configuration = shape.configuration
    let encoder = try await TextEncoder(.bert(configuration), weights: RandomWeights(seed: 1), prefix: "", on: engine)
    var generator = SplitMix64(seed: 2)
    let sequences = (0..<batch).map { _ in
      (0..<length).map { _ in Int32.random(in: 0..<Int32(configuration.vocabularySize), using: &generator) }
    }
    let measurement = try await repetition.measure {
      var submission = Submission()
      let tokens = try DeviceTokens(TokenBatch(sequences), on: engine, uploadedBy: &submission)
      let hidden = try encoder.encode(tokens, in: &submission)
      try submission.download(hidden)
      _ = try await engine.run(submission)
    }
    let tokens = Double(batch * length)
    let width = Double(configuration.hiddenSize)
    let perToken =
      Double(configuration.layerCount)
      * (2 * width * (4 * width + 2 * Double(configuration.intermediateSize)) + 4 * Double(length) * width)
    repetition.show(
      ReportEntry.timings(measurement) + [
        .number("tokens_per_second", "tokens/s", tokens / measurement.median, "%.0f"),
        .number("gflops", "GFLOP/s", tokens * perToken / measurement.median / 1e9, "%.1f"),
      ] + ReportEntry.device(engine))
  }
}
