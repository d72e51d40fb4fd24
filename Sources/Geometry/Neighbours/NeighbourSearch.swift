internal import Engine

/// Finds exact neighbours: candidates on the device, in float32; their distances in Double; and a proof for each query
/// that no other vector can be among the nearest. Queries without a proof are searched again with more candidates, and at
/// last compared with all vectors.
struct NeighbourSearch<Reference: VectorSource, Queries: VectorSource>: Sendable {
  private let reference: Reference
  private let queries: Queries
  private let metric: Metric
  private let isOfItself: Bool
  private let k: Int
  /// Neighbours to find for each query: with itself among them there is one more.
  private let wanted: Int
  private let groups: DuplicateGroups
  private let centred: CentredVectors
  private var search: CandidateSearch<Reference, Queries>
  private let extraCandidates: Int?

  /// How much work a search took.
  struct Effort: Sendable, Hashable {
    /// Distinct vectors.
    var distinct = 0
    /// Queries that were asked again, each time.
    var asked: [Int] = []
    /// Queries that were compared with all vectors on the host.
    var exhaustive = 0
  }

  /// The most neighbours.
  static var limit: Int { 1024 }
  /// Long vectors that are candidates for every inner product when a query is searched again: a few that are much
  /// longer than the rest would make the bound too weak for all.
  private static var longest: Int { 64 }
  /// Vectors that may be too long for the device, so that float32 has digits for the rest: candidates for every query, and
  /// themselves compared with all.
  private static var outliers: Int { 64 }

  init(
    of queries: Queries, among reference: Reference, isOfItself: Bool, k: Int, metric: Metric,
    options: NeighbourOptions, on engine: Engine
  ) async throws {
    let count = reference.count
    try require((1...Self.limit).contains(k), "k is \(k): it must be from 1 to \(Self.limit)")
    try require(
      k <= count - (isOfItself ? 1 : 0),
      isOfItself
        ? "k is \(k), and each of \(count) vectors has only \(count - 1) \(count == 2 ? "other" : "others")"
        : "k is \(k), and there are only \(count) vectors to choose from")
    try require(
      queries.dimension == reference.dimension,
      "queries have dimension \(queries.dimension), the vectors they are compared with \(reference.dimension)")
    try require(max(count, queries.count) < Int(Int32.max), "more than \(Int32.max) vectors cannot be numbered")
    (self.reference, self.queries, self.metric, self.isOfItself, self.k) = (reference, queries, metric, isOfItself, k)
    wanted = isOfItself ? k + 1 : k
    let survey = try await VectorSurvey(of: reference, metric: metric, name: "vector")
    let querySurvey = isOfItself ? nil : try await VectorSurvey(of: queries, metric: metric, name: "query")
    groups = try DuplicateGroups(of: reference, hashes: survey.hashes)
    centred = try CentredVectors(
      metric, around: reference, reference: survey, queries: querySurvey,
      outliers: (
        groups.representatives.map { survey.magnitudes[Int($0)] } + (querySurvey?.magnitudes ?? []), Self.outliers
      ))
    extraCandidates = options.extraCandidates
    search = CandidateSearch(
      engine: engine, centred: centred, reference: reference, queries: queries, isOfItself: isOfItself,
      representatives: groups.representatives, shardSize: max(1, options.shardBytes / (4 * reference.dimension)),
      progress: options.progress)
  }

  /// Runs the search.
  mutating func run() async throws -> (lists: NeighbourLists, effort: Effort) {
    // Equal vectors of the set itself are one query.
    let asked = isOfItself ? groups.representatives : Array(0..<Int32(queries.count))
    var effort = Effort()
    effort.distinct = groups.count
    var indices = [Int32](repeating: 0, count: asked.count * wanted)
    var distances = [Double](repeating: 0, count: asked.count * wanted)
    var pending = Array(asked.indices)
    var limit = min(groups.count, wanted + (extraCandidates ?? max(5, wanted / 8)))

    func store(_ found: FoundNeighbours, at place: Int) {
      indices.replaceSubrange(place * wanted..<(place + 1) * wanted, with: found.indices)
      distances.replaceSubrange(place * wanted..<(place + 1) * wanted, with: found.distances)
    }
    while !pending.isEmpty, limit <= TopK.limit {
      effort.asked.append(pending.count)
      let candidates = try await search.candidates(for: pending.map { asked[$0] }, limit: limit)
      let long = metric == .innerProduct && effort.asked.count > 1 ? Self.longest : 0
      let found = try await exactly(candidates, and: long, for: pending.map { asked[$0] })
      var unproven: [Int] = []
      for (place, neighbours) in zip(pending, found) {
        if neighbours.isProven { store(neighbours, at: place) } else { unproven.append(place) }
      }
      pending = unproven
      guard limit < TopK.limit else { break }
      limit = min(groups.count, TopK.limit, 4 * limit)
    }
    effort.exhaustive = pending.count
    for (place, neighbours) in zip(pending, try await exhaustively(pending.map { asked[$0] })) {
      store(neighbours, at: place)
    }
    return (isOfItself ? withoutThemselves(indices, distances) : lists(indices, distances), effort)
  }

  private struct FoundNeighbours: Sendable {
    var indices: [Int32]
    var distances: [Double]
    var isProven: Bool
  }

  /// The nearest of all candidates, of the vectors that were set aside and of the `longCount` longest, by exact
  /// distances.
  private func exactly(
    _ result: MeasuredCandidates, and longCount: Int, for asked: [Int32]
  ) async throws -> [FoundNeighbours] {
    let norms = result.referenceNorms
    let setAside = norms.count { $0 == .infinity }
    let longest = setAside + longCount
    let long = Set(
      longest == 0 ? [] : norms.indices.sorted { norms[$0] > norms[$1] }.prefix(longest).map(Int32.init))
    let reach = norms.enumerated().reduce(0.0) { long.contains(Int32($1.offset)) ? $0 : max($0, $1.element) }
    let bound = NeighbourBound(
      centred, queryReach: result.norms.reduce(0, max), reach: reach, longest: norms.reduce(0, max))
    let holdsAll = result.candidates.count == groups.count
    return try await inParallel(asked.count, blockSize: 64) { block in
      try VectorReader.reading(reference) { vectors in
        try VectorReader.reading(queries) { queries in
          try block.map { place in
            let listed = result.candidates.groups(of: place)
            let all = long.isEmpty ? Array(listed) : Array(long.union(listed))
            var found = try nearest(all, to: Int(asked[place]), vectors, queries)
            found.isProven =
              holdsAll
              || bound.holds(
                norm: result.norms[place], centerProduct: metric == .innerProduct ? result.centerProducts[place] : 0,
                last: result.candidates.values(of: place).last ?? .infinity,
                farthest: found.distances.last ?? .infinity)
            return found
          }
        }
      }
    }.flatMap { $0 }
  }

  /// The nearest of all vectors.
  private func exhaustively(_ asked: [Int32]) async throws -> [FoundNeighbours] {
    try await inParallel(asked.count, blockSize: 1) { block in
      try VectorReader.reading(reference) { vectors in
        try VectorReader.reading(queries) { queries in
          try block.map { place in
            try nearest(Array(0..<Int32(groups.count)), to: Int(asked[place]), vectors, queries)
          }
        }
      }
    }.flatMap { $0 }
  }

  private func nearest(
    _ candidates: [Int32], to query: Int, _ vectors: VectorReader, _ queries: VectorReader
  ) throws -> FoundNeighbours {
    try queries.withVector(query) { vector in
      let distance = ExactDistance(metric, from: vector, dimension: reference.dimension)
      var found: [(group: Int32, distance: Double)] = []
      found.reserveCapacity(candidates.count)
      // A part at a time: vectors of a file are copied.
      for start in stride(from: 0, to: candidates.count, by: 256) {
        let part = candidates[start..<min(start + 256, candidates.count)]
        let distances = try vectors.withVectors(part.map { groups.representatives[Int($0)] }) { distance(to: $0) }
        found += zip(part, distances).map { ($0, $1) }
      }
      let (indices, distances) = groups.nearest(found, count: wanted)
      return FoundNeighbours(indices: indices, distances: distances, isProven: false)
    }
  }

  /// For every vector the neighbours of its group, without itself.
  private func withoutThemselves(_ indices: [Int32], _ distances: [Double]) -> NeighbourLists {
    var (kept, keptDistances): ([Int32], [Double]) = ([], [])
    kept.reserveCapacity(reference.count * k)
    keptDistances.reserveCapacity(reference.count * k)
    for row in 0..<reference.count {
      let first = groups.group(of: row) * wanted
      // A vector that is not in its own list, because of many copies, drops the last entry instead.
      let own = (first..<first + k).first { indices[$0] == Int32(row) } ?? first + k
      kept += indices[first..<own]
      kept += indices[own + 1..<first + wanted]
      keptDistances += distances[first..<own]
      keptDistances += distances[own + 1..<first + wanted]
    }
    return lists(kept, keptDistances)
  }

  private func lists(_ indices: [Int32], _ distances: [Double]) -> NeighbourLists {
    NeighbourLists(
      k: k, metric: metric, referenceCount: reference.count, isOfItself: isOfItself, indices: indices,
      distances: distances)
  }
}
