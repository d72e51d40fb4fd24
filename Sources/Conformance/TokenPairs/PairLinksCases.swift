internal import Engine
internal import TokenPairs

extension ConformanceFamily { static let pairLinks: ConformanceFamily = "pairLinks" }

/// Links of listed pairs: both cells must pass, and nothing but the listed cells is looked at.
extension ConformanceKit {
  static let pairLinksCases: [ConformanceCase] = {
    typealias Layout = VectorSet.Layout
    var cases = [
      links("one pair", small: true, tokens: 2, pairs: 1, Layout(channels: 3), types: 1, seed: 951),
      links("heads of their own", small: true, tokens: 5, pairs: 9, Layout(heads: 2, channels: 3), seed: 952),
      links("predicates by bias", small: true, tokens: 5, pairs: 9, Layout(channels: 4), types: 3, seed: 953),
      links(
        "heads in slices", tokens: 40, pairs: 67, Layout(heads: 3, channels: 20, before: 7, between: 5, after: 4),
        seed: 954),
      ConformanceCase(.pairLinks, "a list too short counts all", small: true) { engine in
        let problem = LinkProblem(tokens: 5, pairs: 9, Layout(channels: 4), types: 3, .exact, seed: 955)
        let expected = try await problem.hits(threshold: -.infinity)
        let (found, hits) = try await problem.run(on: engine, threshold: -.infinity, capacity: 4)
        guard found == expected.count, hits.count == 4, hits.allSatisfy(expected.contains) else {
          throw Mismatch("\(found) hits were counted of \(expected.count), \(hits.count) listed")
        }
      },
    ]
    // Around the widths of vectors and groups.
    for (index, count) in [15, 16, 17, 49, 63, 64, 65].enumerated() {
      cases.append(
        links(
          "\(count) pairs, \(count) predicates", tokens: 129, pairs: count, Layout(channels: 8), types: count,
          seed: 960 + UInt64(index)))
    }
    for channels in [1, 16, 63, 64, 65] {
      cases.append(
        rounded("\(channels) channels, by bias", channels: channels, types: 5, seed: 970 + UInt64(channels)))
      cases.append(rounded("\(channels) channels, heads", channels: channels, types: nil, seed: 970 + UInt64(channels)))
    }
    return cases
  }()

  /// Exact scores: the hits are known to the bit, and scores equal to the threshold are out.
  private static func links(
    _ title: String, small: Bool = false, tokens: Int, pairs: Int, _ layout: VectorSet.Layout, types: Int? = nil,
    seed: UInt64
  ) -> ConformanceCase {
    ConformanceCase(.pairLinks, title, small: small) { engine in
      let problem = LinkProblem(tokens: tokens, pairs: pairs, layout, types: types, .exact, seed: seed)
      for threshold: Float in [-.infinity, 0, 0.5, .infinity] {
        let expected = try await problem.hits(threshold: threshold)
        let (found, hits) = try await problem.run(on: engine, threshold: threshold, capacity: expected.count + 3)
        guard found == expected.count, hits == expected else {
          throw Mismatch("threshold \(threshold): \(found) hits, expected \(expected.count): \(hits) \(expected)")
        }
      }
    }
  }

  /// Rounded scores: within the error of a product, and the same bits whatever other pairs are listed.
  private static func rounded(_ title: String, channels: Int, types: Int?, seed: UInt64) -> ConformanceCase {
    ConformanceCase(.pairLinks, title) { engine in
      let problem = LinkProblem(
        tokens: 20, pairs: 33, .init(heads: types == nil ? 3 : 1, channels: channels), types: types, .uniform,
        seed: seed)
      let expected = try await problem.hits(threshold: -.infinity)
      let (_, hits) = try await problem.run(on: engine, threshold: -.infinity, capacity: expected.count)
      let slack = Float(channels + 3) * 0x1p-23
      guard hits.map(\.pair) == expected.map(\.pair),
        zip(hits, expected).allSatisfy({ abs($0.head - $1.head) <= slack && abs($0.tail - $1.tail) <= slack })
      else { throw Mismatch("hits are off by more than \(slack)") }
      var alone = problem
      alone.pairs = [problem.pairs[17]]
      let single = try await alone.run(on: engine, threshold: -.infinity, capacity: expected.count).hits
      let among = hits.filter { $0.pair == 17 }
      guard single.map(\.head) == among.map(\.head), single.map(\.tail) == among.map(\.tail) else {
        throw Mismatch("a pair's scores depend on the pairs beside it")
      }
    }
  }
}

/// Vectors of two kinds of link cells, and pairs to ask about.
struct LinkProblem: Sendable {
  var head: Side
  var tail: Side
  /// Head row and column, tail row and column.
  var pairs: [[Int]]
  let scale: Float = 0.5

  /// One kind of cell: queries, keys and, where predicates share a product, biases.
  struct Side: Sendable {
    var queries: VectorSet
    var keys: VectorSet
    var biases: TypeBiasSet?

    init(tokens: Int, _ layout: VectorSet.Layout, types: Int?, _ draw: Draw, seed: UInt64) {
      queries = VectorSet(count: tokens, layout, draw, seed: seed)
      keys = VectorSet(count: tokens, layout, draw, seed: seed &+ 1)
      biases = types.map { TypeBiasSet(types: $0, tokens: tokens, scale: 0.25, draw, seed: seed &+ 2) }
    }

    var predicates: Int { biases?.types ?? queries.layout.heads }

    func stage(in workspace: inout Workspace) throws -> LinkScores {
      var scores = LinkScores(rows: try workspace.upload(queries), columns: try workspace.upload(keys))
      if let biases {
        scores.biases = .init(
          try workspace.upload(biases.vectors).tensor, predicates: biases.types, scale: biases.scale)
      }
      return scores
    }
  }

  init(tokens: Int, pairs count: Int, _ layout: VectorSet.Layout, types: Int? = nil, _ draw: Draw, seed: UInt64) {
    head = Side(tokens: tokens, layout, types: types, draw, seed: seed &* 31)
    tail = Side(tokens: tokens, layout, types: types, draw, seed: seed &* 31 &+ 7)
    var generator = SplitMix64(seed: seed)
    pairs = (0..<count).map { _ in (0..<4).map { _ in generator.index(below: tokens) } }
    // The last row is reached too.
    pairs[0] = [tokens - 1, 0, 0, tokens - 1]
  }

  /// Hits that there can be.
  var possibleHits: Int { pairs.count * head.predicates }

  /// The hits of the reference, by pair, then predicate.
  func hits(threshold: Float) async throws -> [PairLink] {
    try await run(on: .reference, threshold: threshold, capacity: possibleHits).hits
  }

  /// Asks the engine, with a list of `capacity` hits; checks the memory behind it.
  func run(
    on engine: Engine, threshold: Float, capacity: Int
  ) async throws -> (found: Int, hits: [PairLink]) {
    var workspace = Workspace(engine)
    let list = try workspace.upload(integers: Poison.integers(4 * (capacity + 2)), capacity + 2, 4)
    let count = try workspace.upload(integers: [0, Poison.integer], 2)
    let words = pairs.flatMap { $0.map(Int32.init) } + Poison.integers(4)
    let listed = try workspace.upload(integers: words, pairs.count + 1, 4)
    try workspace.append(
      PairLinks(
        head: try head.stage(in: &workspace), tail: try tail.stage(in: &workspace), pairs: listed,
        pairCount: pairs.count, scale: scale, threshold: threshold,
        hits: Tensor(storage: list.storage, elementType: .int32, shape: [max(1, capacity), 4]), found: count))
    let results = try await workspace.run(reading: [count, list])
    let (counts, hits) = (results[0].integers, results[1].integers)
    guard counts[1] == Poison.integer else { throw Mismatch("the word behind the count was written") }
    let kept = min(Int(counts[0]), capacity)
    guard hits[(4 * kept)...].allSatisfy({ $0 == Poison.integer }) else {
      throw Mismatch("\(counts[0]) hits were counted, and memory behind them was written")
    }
    func score(_ word: Int32) -> Float { Float(bitPattern: UInt32(bitPattern: word)) }
    let result = (0..<kept).map { index in
      let at = 4 * index
      return PairLink(
        pair: Int(hits[at]), predicate: Int(hits[at + 1]), head: score(hits[at + 2]), tail: score(hits[at + 3]))
    }
    return (Int(counts[0]), result.sorted { ($0.pair, $0.predicate) < ($1.pair, $1.predicate) })
  }
}
