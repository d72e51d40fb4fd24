internal import Engine
internal import Foundation

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

  /// Candidates of a query beyond which comparing it with all vectors is no slower.
  private static var mostCandidates: Int { 4096 }
  /// Queries that one processor works on at a time, so that they have vectors in common.
  private static var blockSize: Int { 256 }
  /// Neighbours that are found before they are stored: 24 MiB.
  private static var partEntries: Int { 1 << 21 }
  /// Candidates beyond the wanted that are looked at together.
  private static var spares: Int { 8 }
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
    try require(k >= 1, "k is \(k): it must be at least 1")
    try require(
      k <= count - (isOfItself ? 1 : 0),
      isOfItself
        ? "k is \(k), and each of \(count) vectors has only \(count - 1) \(count == 2 ? "other" : "others")"
        : "k is \(k), and there are only \(count) vectors to choose from")
    try require(
      queries.dimension == reference.dimension,
      "queries have dimension \(queries.dimension), the vectors they are compared with \(reference.dimension)")
    try require(max(count, queries.count) < Int(Int32.max), "more than \(Int32.max) vectors cannot be numbered")
    // The results, and what is found on the way to them.
    let bytes = Double(queries.count) * Double(k) * 48
    let memory = Double(ProcessInfo.processInfo.physicalMemory)
    try require(
      bytes < memory,
      "the lists of \(k) neighbours of \(queries.count) vectors take \(Int(bytes / 1e9)) GB, and this machine has "
        + "\(Int(memory / 1e9)): ask for fewer neighbours, or for a part of the vectors at a time")
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
    let most = min(groups.count, max(Self.mostCandidates, limit))

    func store(_ found: FoundNeighbours, at place: Int) {
      indices.replaceSubrange(place * wanted..<(place + 1) * wanted, with: found.indices)
      distances.replaceSubrange(place * wanted..<(place + 1) * wanted, with: found.distances)
    }
    while !pending.isEmpty {
      effort.asked.append(pending.count)
      let candidates = try await search.candidates(for: pending.map { asked[$0] }, limit: limit)
      let long = metric == .innerProduct && effort.asked.count > 1 ? Self.longest : 0
      var unproven: [Int] = []
      try await exactly(candidates, and: long, for: pending.map { asked[$0] }) { place, found in
        if found.isProven { store(found, at: pending[place]) } else { unproven.append(pending[place]) }
      }
      pending = unproven
      guard limit < most else { break }
      limit = min(most, 4 * limit)
    }
    effort.exhaustive = pending.count
    try await exhaustively(pending.map { asked[$0] }) { store($1, at: pending[$0]) }
    return (isOfItself ? withoutThemselves(indices, distances) : lists(indices, distances), effort)
  }

  private struct FoundNeighbours: Sendable {
    var indices: [Int32]
    var distances: [Double]
    var isProven: Bool
  }

  /// The nearest of all candidates, of the vectors that were set aside and of the `longCount` longest, by exact
  /// distances; `store` is called with each query's place and what was found, in order.
  private func exactly(
    _ result: MeasuredCandidates, and longCount: Int, for asked: [Int32], store: (Int, FoundNeighbours) -> Void
  ) async throws {
    let norms = result.referenceNorms
    let setAside = norms.count { $0 == .infinity }
    let longest = setAside + longCount
    let long = Set(
      longest == 0 ? [] : norms.indices.sorted { norms[$0] > norms[$1] }.prefix(longest).map(Int32.init))
    let reach = norms.enumerated().reduce(0.0) { long.contains(Int32($1.offset)) ? $0 : max($0, $1.element) }
    let bound = NeighbourBound(
      centred, queryReach: result.norms.reduce(0, max), reach: reach, longest: norms.reduce(0, max))
    let candidates = result.candidates
    // Those beyond the wanted are looked at only where the bound does not rule them out.
    let first = long.isEmpty ? min(wanted, candidates.count) : candidates.count
    @Sendable func listed(_ place: Int) -> ArraySlice<Int32> {
      let listed = candidates.groups(of: place).prefix(first)
      return long.isEmpty ? listed : ArraySlice(long.union(listed))
    }
    /// Whether all that has at most the value of a candidate is farther away than `farthest`.
    @Sendable func holds(_ place: Int, _ candidate: Int, _ farthest: Double) -> Bool {
      let values = candidates.values(of: place)
      return bound.holds(
        norm: result.norms[place], centerProduct: metric == .innerProduct ? result.centerProducts[place] : 0,
        last: values[values.startIndex + candidate], farthest: farthest)
    }

    try await inBlocks(asked, store) { block, vectors, measures in
      let lists = block.map(listed)
      let distances = try vectors.distances(from: measures, to: VectorLists(lists, of: groups.representatives))
      var start = 0
      return try zip(block, zip(lists, measures)).map { place, query in
        let (list, distance) = query
        var found = zip(list, distances[start..<start + list.count]).map(FoundGroup.init)
        start += list.count
        found.sortNearlySorted()
        let farthest = found.last?.distance ?? .infinity
        var taken = first
        var isProven = candidates.count == groups.count && taken == candidates.count
        while !isProven, taken < candidates.count {
          isProven = holds(place, taken, farthest)
          guard !isProven else { break }
          let part = candidates.groups(of: place).dropFirst(taken).prefix(Self.spares)
          let more = try vectors.withVectors(part.map { groups.representatives[Int($0)] }) { distance(to: $0) }
          found += zip(part, more).map(FoundGroup.init)
          taken += part.count
        }
        if taken > first { found.sortNearlySorted() }
        let nearest = groups.nearest(found, count: wanted)
        return FoundNeighbours(
          indices: nearest.indices, distances: nearest.distances,
          isProven: isProven || candidates.count == groups.count
            || holds(place, candidates.count - 1, nearest.distances.last ?? .infinity))
      }
    }
  }

  /// The nearest of all vectors.
  private func exhaustively(_ asked: [Int32], store: (Int, FoundNeighbours) -> Void) async throws {
    let all = Array(0..<Int32(groups.count))
    try await inBlocks(asked, size: 1, store) { _, vectors, measures in
      try measures.map { measure in
        let distances = try vectors.distances(from: [measure], to: VectorLists([all[...]], of: groups.representatives))
        var found = zip(all, distances).map(FoundGroup.init)
        found.sort()
        let nearest = groups.nearest(found, count: wanted)
        return FoundNeighbours(indices: nearest.indices, distances: nearest.distances, isProven: true)
      }
    }
  }

  /// Works on blocks of the queries on all processors, and hands each query's place and what was found to `store`, in order.
  private func inBlocks(
    _ asked: [Int32], size: Int? = nil, _ store: (Int, FoundNeighbours) -> Void,
    _ body: @escaping @Sendable (Range<Int>, VectorReader, [ExactDistance]) throws -> [FoundNeighbours]
  ) async throws {
    // A part of them at a time: results that are stored make room for the next.
    let partSize = max(Self.blockSize, Self.partEntries / wanted)
    for first in stride(from: 0, to: asked.count, by: partSize) {
      let part = first..<min(asked.count, first + partSize)
      let blockSize = size ?? min(Self.blockSize, max(8, part.count / 64))
      let found = try await inParallel(part.count, blockSize: blockSize) { places in
        let block = first + places.lowerBound..<first + places.upperBound
        return try VectorReader.reading(reference) { vectors in
          try VectorReader.reading(queries) { queries in
            let measures = try block.map { place in
              try queries.withVector(Int(asked[place])) {
                ExactDistance(metric, from: $0, dimension: reference.dimension)
              }
            }
            return try body(block, vectors, measures)
          }
        }
      }
      for (place, found) in zip(part, found.joined()) { store(place, found) }
    }
  }

  /// For every vector the neighbours of its group, without itself.
  private func withoutThemselves(_ indices: consuming [Int32], _ distances: consuming [Double]) -> NeighbourLists {
    if groups.count == reference.count {
      // Each vector is in its own list, unless many have the same distance to it as itself: moved up in place.
      for row in 0..<reference.count {
        let first = row * wanted
        let own = (first..<first + k).first { indices[$0] == Int32(row) } ?? first + k
        for at in first..<first + k {
          let from = at < own ? at : at + 1
          indices[at - row] = indices[from]
          distances[at - row] = distances[from]
        }
      }
      indices.removeLast(reference.count)
      distances.removeLast(reference.count)
      return lists(indices, distances)
    }
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
