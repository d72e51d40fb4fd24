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

  @OptionGroup var bench: BenchOptions
  @OptionGroup var precision: PrecisionOptions

  private var sizes: PairSizes {
    PairSizes(head: head, types: predicates, headSize: headSize, sequences: batch, length: length)
  }

  func validate() throws {
    guard batch > 0, predicates > 0, headSize > 0, headSize.isMultiple(of: 2) else {
      throw ValidationError("--batch and --predicates must be positive, --head-size positive and even")
    }
    guard length > 2 else { throw ValidationError("--length must be at least 3: the first and last token are marks") }
    guard density >= 1e-9, density <= 0.01 else {
      throw ValidationError("--density must be from 1e-9 to 0.01; of a trained model it is near 1e-4")
    }
    guard max(batch, predicates, length) <= 65_536, headSize <= 4_096,
      Double(batch) * Double(length) * Double(sizes.products * headSize + 2 * predicates) < 5e8
    else { throw ValidationError("a benchmark of this size does not fit; take a smaller batch, length or head") }
  }

  func run() async throws {
    let engine = try bench.engine(precision)
    let inputs = try await LinkInputs(sizes, density: density, on: engine)
    var documents: [LinkedDocument] = []
    let measurement = try await bench.measure { documents = try await inputs.decode() }
    try bench.show(
      measurement, on: engine,
      [
        .number("documents_per_second", "documents/s", Double(batch) / measurement.median, "%.0f"),
        .integer("spans", "subjects and objects found", documents.reduce(0) { $0 + $1.spans }),
        .integer("relations", "relations found", documents.reduce(0) { $0 + $1.relations.count }),
        .integer("truncated_documents", "documents with more", documents.count(where: \.isTruncated)),
      ])
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

  /// Heads whose types are predicates, with about this share of the cells above the threshold by chance.
  init(_ sizes: PairSizes, density: Double, on engine: Engine) async throws {
    self.engine = engine
    lengths = [Int](repeating: sizes.length, count: sizes.sequences)
    var submission = Submission()
    let tokens = try DeviceTokens(
      TokenBatch(lengths.map { [Int32](repeating: 0, count: $0) }), on: engine, uploadedBy: &submission)
    self.tokens = tokens
    let isTyped = sizes.head == .efficient
    let planted = PlantedLinks(sizes, density: density)
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
      headSize: sizes.headSize, heads: isTyped ? 1 : 2, triangular: true,
      rotary: try await engine.makeRotaryTable(positions: sizes.length, channels: sizes.headSize),
      biases: try spanBiases.map {
        try TypeBiases(
          packing: HeadSlices($0, channels: $0.width), extent: .ragged(tokens.segments), types: 2,
          scale: PlantedLinks.biasScale, on: engine, in: &submission)
      })

    let linkHead = PairScores(
      headSize: sizes.headSize, heads: isTyped ? 1 : sizes.types, triangular: false, rotary: nil, biases: nil)
    func linkScores(_ numbers: PlantedHead) throws -> LinkScores {
      let (rows, biases) = try upload(numbers)
      return try linkHead.linkScores(
        projected: rows,
        biases: biases.map {
          LinkScores.Biases($0, predicates: sizes.types, scale: PlantedLinks.biasScale)
        }, tokens, on: engine, in: &submission)
    }
    links = WindowQuery.Links(
      rule: .relations(triangular: false),
      query: LinkQuery(
        head: try linkScores(planted.heads), tail: try linkScores(planted.tails),
        scale: 1 / Float(sizes.headSize).squareRoot(), threshold: threshold))
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

/// A head's queries and keys, `[tokens, heads · 2 · headSize]` with a block `[query | key]` a head, and the biases of an
/// efficient one, `[tokens, 2 · types]`: start biases, then end biases.
private struct PlantedHead {
  let kind: HeadKind
  let types: Int
  let headSize: Int
  private(set) var projected: [Float]
  private(set) var biases: [Float] = []

  init(_ kind: HeadKind, types: Int, headSize: Int, tokens: Int, seed: UInt64) {
    self.kind = kind
    self.types = types
    self.headSize = headSize
    projected = normalNumbers(tokens * (kind == .efficient ? 1 : types) * 2 * headSize, seed: seed)
    if kind == .efficient { biases = normalNumbers(tokens * 2 * types, seed: seed + 1) }
  }

  var width: Int { (kind == .efficient ? 1 : types) * 2 * headSize }

  /// Makes a key a multiple of a query: their product, far above the others', is about that of `sqrt(headSize)`.
  mutating func liken(key: Int, toQuery query: Int, type: Int, by factor: Float = 1) {
    let block = (kind == .efficient ? 0 : type) * 2 * headSize
    for c in 0..<headSize {
      projected[key * width + block + headSize + c] = factor * projected[query * width + block + c]
    }
  }

  mutating func addToStart(_ token: Int, type: Int, _ value: Float) { biases[token * 2 * types + type] += value }
  mutating func addToEnd(_ token: Int, type: Int, _ value: Float) { biases[token * 2 * types + types + type] += value }
}

/// Inputs of GPLinker's three heads: normal numbers, and in each document as many subjects, objects and relations as
/// half the density asks for; the other half of the spans comes by chance. `Benchmarks/Peers/links.py` makes the same.
private struct PlantedLinks {
  static let biasScale: Float = 0.5

  private(set) var spans: PlantedHead
  private(set) var heads: PlantedHead
  private(set) var tails: PlantedHead
  /// Passed by chance by about a density of the cells, which are about normal.
  let threshold: Float

  init(_ sizes: PairSizes, density: Double) {
    let (kind, tokens) = (sizes.head, sizes.rows)
    func head(_ types: Int, seed: UInt64) -> PlantedHead {
      PlantedHead(kind, types: types, headSize: sizes.headSize, tokens: tokens, seed: seed)
    }
    (spans, heads, tails) = (head(2, seed: 1), head(sizes.types, seed: 3), head(sizes.types, seed: 5))
    // Products have variance 1, and two halved biases add a half.
    threshold = Float(Self.normalBound(above: density)) * (kind == .efficient ? Float(1.5).squareRoot() : 1)

    var generator = SplitMix64(seed: 7)
    func choose(_ count: Int) -> Int { Int(generator.next() % UInt64(count)) }
    let count = max(1, Int((density * Double(sizes.length * sizes.length) / 2).rounded()))
    for document in 0..<sizes.sequences {
      var planted: [[(first: Int, last: Int)]] = []
      for label in 0..<2 {
        planted.append([])
        for _ in 0..<count {
          // Between the marks at the ends; up to four tokens.
          let first = 1 + choose(sizes.length - 2)
          let last = min(first + choose(4), sizes.length - 2)
          let start = document * sizes.length
          plantSpan(start + first, start + last, label: label)
          planted[label].append((start + first, start + last))
        }
      }
      for (subject, object) in zip(planted[0], planted[1]) {
        let predicate = choose(sizes.types)
        Self.plantLink(subject.first, object.first, predicate, in: &heads)
        Self.plantLink(subject.last, object.last, predicate, in: &tails)
      }
    }
  }

  private mutating func plantSpan(_ first: Int, _ last: Int, label: Int) {
    spans.liken(key: last, toQuery: first, type: label)
    // The labels share the product: the other's must not pass.
    if spans.kind == .efficient { spans.addToStart(first, type: 1 - label, -16) }
  }

  private static func plantLink(_ row: Int, _ column: Int, _ predicate: Int, in head: inout PlantedHead) {
    guard head.kind == .efficient else { return head.liken(key: column, toQuery: row, type: predicate) }
    // The predicates share the product: it brings all near the threshold, the biases bring one over it.
    head.liken(key: column, toQuery: row, type: predicate, by: 0.4)
    head.addToStart(row, type: predicate, 2.5)
    head.addToEnd(column, type: predicate, 2.5)
  }

  /// The number that a normal variable exceeds with the given probability, by halving.
  static func normalBound(above probability: Double) -> Double {
    var (low, high) = (0.0, 40.0)
    for _ in 0..<100 {
      let middle = (low + high) / 2
      if erfc(middle / 2.0.squareRoot()) / 2 > probability { low = middle } else { high = middle }
    }
    return low
  }
}
