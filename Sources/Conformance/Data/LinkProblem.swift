internal import Engine
internal import TokenPairs

/// Vectors of two kinds of link cells, pairs to ask about, and the exact answer.
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

    func score(_ predicate: Int, _ row: Int, _ column: Int, scale: Float) -> Float {
      let head = biases == nil ? predicate : 0
      let product = Double(scale) * innerProduct(queries.vector(row, head: head), keys.vector(column, head: head))
      guard let biases else { return Float(product) }
      let sum = biases.vectors.vector(row)[predicate] + biases.vectors.vector(column)[biases.types + predicate]
      return Float(product + Double(biases.scale) * sum)
    }

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

  /// The hits, by pair, then predicate.
  func hits(threshold: Float) -> [PairLink] {
    var hits: [PairLink] = []
    for (index, pair) in pairs.enumerated() {
      for predicate in 0..<head.predicates {
        let headScore = head.score(predicate, pair[0], pair[1], scale: scale)
        let tailScore = tail.score(predicate, pair[2], pair[3], scale: scale)
        guard headScore > threshold, tailScore > threshold else { continue }
        hits.append(PairLink(pair: index, predicate: predicate, head: headScore, tail: tailScore))
      }
    }
    return hits
  }

  /// Asks the backend, with a list of `capacity` hits; checks the memory behind it.
  func run(
    on backend: any Backend, threshold: Float, capacity: Int
  ) async throws -> (found: Int, hits: [PairLink]) {
    var workspace = Workspace(backend)
    let list = try workspace.upload(integers: Poison.integers(4 * (capacity + 2)), capacity + 2, 4)
    let count = try workspace.upload(integers: [0, Poison.integer], 2)
    let words = pairs.flatMap { $0.map(Int32.init) } + Poison.integers(4)
    let listed = try workspace.upload(integers: words, pairs.count + 1, 4)
    try workspace.append(
      PairLinks(
        head: try head.stage(in: &workspace), tail: try tail.stage(in: &workspace), pairs: listed,
        pairCount: pairs.count, scale: scale, threshold: threshold,
        hits: Tensor(storage: list.storage, elementType: .int32, shape: [max(1, capacity), 4]), found: count))
    try workspace.download(count)
    try workspace.download(list)
    let results = try await workspace.run()
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
