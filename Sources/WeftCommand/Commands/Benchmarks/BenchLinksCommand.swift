import ArgumentParser
import Engine
import Foundation
import Networks
import TokenPairs

struct BenchLinksCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "links",
    abstract: "Time GPLinker decoding: spans, links among them, relations.",
    usage: "weft bench links [<options>]",
    discussion: """
      From the queries and keys of three heads on the device (subjects and objects, links of first tokens, links of \
      last tokens) to each document's relations on the host. Inputs are normal numbers with subjects, objects and \
      relations planted among them; the threshold lets about a --density of the cells pass by chance.
      """)

  @Option(help: "Which heads: a product for each type (globalpointer), or one for all (efficient).")
  var head: HeadKind = .efficient

  @Option(parsing: .unconditional, help: "Documents in the batch.") var batch = 64
  @Option(parsing: .unconditional, help: "Tokens of a document.") var length = 256
  @Option(parsing: .unconditional, help: "Predicates of a relation.") var predicates = 49
  @Option(parsing: .unconditional, help: "Channels of a query.") var headSize = 64
  @Option(parsing: .unconditional, help: "Cells of a matrix that pass, of all n².") var density = 1e-4

  @OptionGroup var tiles: TileOptions
  @OptionGroup var repetition: RepetitionOptions

  func validate() throws {
    guard batch > 0, predicates > 0, headSize > 0, headSize.isMultiple(of: 2) else {
      throw ValidationError("--batch and --predicates must be positive, --head-size positive and even")
    }
    guard length > 2 else { throw ValidationError("--length must be at least 3: the first and last token are marks") }
    guard density >= 1e-9, density <= 0.01 else {
      throw ValidationError("--density must be from 1e-9 to 0.01; of a trained model it is near 1e-4")
    }
    let products = head == .efficient ? 1 : predicates
    guard max(batch, predicates, length) <= 65_536, headSize <= 4_096,
      Double(batch) * Double(length) * Double(products * headSize + 2 * predicates) < 5e8
    else { throw ValidationError("a benchmark of this size does not fit; take a smaller batch, length or head") }
  }

  func run() async throws {
    let engine = try tiles.engine()
    let inputs = try await LinkInputs(self, on: engine)
    var documents: [LinkedDocument] = []
    let measurement = try await repetition.measure { documents = try await inputs.decode() }
    repetition.show(
      ReportEntry.timings(measurement) + [
        .number("documents_per_second", "documents/s", Double(batch) / measurement.median, "%.0f"),
        .integer("spans", "subjects and objects found", documents.reduce(0) { $0 + $1.spans }),
        .integer("relations", "relations found", documents.reduce(0) { $0 + $1.relations.count }),
        .integer("truncated_documents", "documents with more", documents.count(where: \.isTruncated)),
      ] + ReportEntry.device(engine))
  }
}

/// What was found in a document.
private struct LinkedDocument {
  let spans: Int
  let relations: [SpanLink]
  /// Whether there was more than is looked at.
  let isTruncated: Bool
}

/// What three heads' projections would have left on the device.
private struct LinkInputs {
  let engine: Engine
  let tokens: DeviceTokens
  let lengths: [Int]
  let projected: Tensor
  let scores: PairScores
  let links: WindowQuery.Links
  let threshold: Float

  init(_ command: BenchLinksCommand, on engine: Engine) async throws {
    self.engine = engine
    lengths = [Int](repeating: command.length, count: command.batch)
    var submission = Submission()
    let tokens = try DeviceTokens(
      TokenBatch(lengths.map { [Int32](repeating: 0, count: $0) }), on: engine, uploadedBy: &submission)
    self.tokens = tokens
    let isTyped = command.head == .efficient
    let planted = PlantedLinks(command)
    threshold = planted.threshold

    func upload(_ numbers: PlantedHead) throws -> (projected: Tensor, biases: Tensor?) {
      let rows = try engine.makeTensor(.float32, tokens.count, numbers.width)
      try submission.upload(.float32(numbers.projected), to: rows)
      guard isTyped else { return (rows, nil) }
      let biases = try engine.makeTensor(.float32, tokens.count, 2 * numbers.types)
      try submission.upload(.float32(numbers.biases), to: biases)
      return (rows, biases)
    }

    let (spans, spanBiases) = try upload(planted.spans)
    projected = spans
    scores = PairScores(
      headSize: command.headSize, heads: isTyped ? 1 : 2, triangular: true,
      rotary: try await engine.makeRotaryTable(positions: command.length, channels: command.headSize),
      biases: try spanBiases.map {
        try TypeBiases(packing: $0, types: 2, scale: PlantedLinks.biasScale, tokens, on: engine, in: &submission)
      })

    let linkHead = PairScores(
      headSize: command.headSize, heads: isTyped ? 1 : command.predicates, triangular: false, rotary: nil, biases: nil)
    func linkScores(_ numbers: PlantedHead) throws -> LinkScores {
      let (rows, biases) = try upload(numbers)
      return try linkHead.linkScores(
        projected: rows,
        biases: biases.map {
          LinkScores.Biases($0, predicates: command.predicates, scale: PlantedLinks.biasScale)
        }, tokens, on: engine, in: &submission)
    }
    links = WindowQuery.Links(
      rule: .relations(triangular: false),
      query: LinkQuery(
        head: try linkScores(planted.heads), tail: try linkScores(planted.tails),
        scale: 1 / Float(command.headSize).squareRoot(), threshold: threshold))
    _ = try await engine.run(submission)
  }

  func decode() async throws -> [LinkedDocument] {
    var submission = Submission()
    var spans = try scores.query(projected: projected, tokens, threshold: threshold, on: engine, in: &submission)
    spans.limit = Extractor.Options().maximumSpans
    let findings = try await WindowQuery(spans: spans, labels: 2, links: links)
      .findings(after: submission, lengths: lengths, on: engine)
    let decoder = RelationDecoder(windows: 1)
    return findings.map { found in
      let decoded = decoder.decode(found.links, subjects: found.spans, objects: found.spans)
      return LinkedDocument(
        spans: found.spans.count, relations: decoded.relations, isTruncated: found.isTruncated || decoded.isTruncated)
    }
  }
}
