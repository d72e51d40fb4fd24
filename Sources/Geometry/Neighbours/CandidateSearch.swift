internal import Engine

/// For each query the vectors that are nearest by what the device computes in float32.
struct Candidates: Sendable {
  /// Candidates of a query.
  let count: Int
  /// `[queries, count]`, greatest first.
  private(set) var values: [Float]
  /// `[queries, count]`: groups of equal vectors, of equal values the first.
  private(set) var groups: [Int32]

  func values(of query: Int) -> ArraySlice<Float> { values[query * count..<(query + 1) * count] }
  func groups(of query: Int) -> ArraySlice<Int32> { groups[query * count..<(query + 1) * count] }

  init(_ columns: BestColumns, firstGroup: Int) {
    count = columns.k
    values = columns.values
    groups = firstGroup == 0 ? columns.indices : columns.indices.map { $0 + Int32(firstGroup) }
  }

  /// Candidates of queries, one part after the other.
  init(_ parts: [Candidates]) {
    if parts.count == 1 {
      self = parts[0]
      return
    }
    count = parts.first?.count ?? 0
    values = parts.flatMap(\.values)
    groups = parts.flatMap(\.groups)
  }

  /// The best of these and of others, of groups that come after.
  func merged(with others: Candidates, limit: Int) -> Candidates {
    let merged = min(limit, count + others.count)
    let queries = values.count / count
    var (values, groups): ([Float], [Int32]) = ([], [])
    values.reserveCapacity(queries * merged)
    groups.reserveCapacity(queries * merged)
    for query in 0..<queries {
      var (mine, theirs) = (query * count, query * others.count)
      let (myEnd, theirEnd) = (mine + count, theirs + others.count)
      for _ in 0..<merged {
        if theirs == theirEnd || (mine < myEnd && self.values[mine] >= others.values[theirs]) {
          values.append(self.values[mine])
          groups.append(self.groups[mine])
          mine += 1
        } else {
          values.append(others.values[theirs])
          groups.append(others.groups[theirs])
          theirs += 1
        }
      }
    }
    return Candidates(count: merged, values: values, groups: groups)
  }

  private init(count: Int, values: [Float], groups: [Int32]) {
    self.count = count
    self.values = values
    self.groups = groups
  }
}

/// The candidates, and the lengths that bound their errors.
struct MeasuredCandidates: Sendable {
  var candidates: Candidates
  /// `|w|` of each query, in order.
  var norms: [Double] = []
  /// `<s c, w>` of each query; inner product only.
  var centerProducts: [Double] = []
  /// `|w|` of each group of the reference set, in order.
  var referenceNorms: [Double] = []
}

/// Finds candidates, with a shard of the reference set at a time on the device.
struct CandidateSearch<Reference: VectorSource, Queries: VectorSource>: Sendable {
  let engine: Engine
  let centred: CentredVectors
  let reference: Reference
  let queries: Queries
  /// Whether the queries are the vectors of the reference set.
  let isOfItself: Bool
  /// The first of each group of equal vectors of the reference set.
  let representatives: [Int32]
  /// Vectors that are on the device at a time.
  var shardSize: Int
  /// Called at intervals with the share that is done.
  let progress: (@Sendable (Double) -> Void)?

  /// Queries of a pass, so that the host's copies of them stay small.
  private static var passElements: Int { 1 << 23 }
  /// A device without room for so many fails.
  private static var leastShard: Int { 256 }

  /// `limit` candidates for some queries.
  mutating func candidates(for asked: [Int32], limit: Int) async throws -> MeasuredCandidates {
    var found: MeasuredCandidates?
    var first = 0
    while first < representatives.count {
      let shard = first..<min(first + shardSize, representatives.count)
      do {
        let part = try await candidates(for: asked, limit: limit, in: shard, isFirst: first == 0)
        if var all = found {
          all.candidates = all.candidates.merged(with: part.candidates, limit: limit)
          all.referenceNorms += part.referenceNorms
          found = all
        } else {
          found = part
        }
        first = shard.upperBound
      } catch let error as EngineError where error.kind == .exhausted && shardSize > Self.leastShard {
        // The device has less room than it says: take less at a time.
        shardSize = min(shardSize, representatives.count) / 2
      }
    }
    return found ?? MeasuredCandidates(candidates: Candidates([]))
  }

  private func candidates(
    for asked: [Int32], limit: Int, in shard: Range<Int>, isFirst: Bool
  ) async throws -> MeasuredCandidates {
    let block = try await centred.block(representatives[shard], of: reference)
    let vectors = try Vectors(block.elements, dimension: centred.dimension)
    let best = min(limit, shard.count)
    if isOfItself, shard.count == asked.count, asked.count == representatives.count,
      let columns = try await engine.topK(ofThemselves: vectors, terms: block.terms, k: best, progress: progress)
    {
      return MeasuredCandidates(
        candidates: Candidates(columns, firstGroup: 0), norms: block.norms, centerProducts: block.centerProducts,
        referenceNorms: block.norms)
    }
    let columns = try await engine.makeRankedColumns(vectors, terms: block.terms)
    let passSize = max(256, Self.passElements / centred.dimension)
    var result = MeasuredCandidates(candidates: Candidates([]))
    result.referenceNorms = block.norms
    var parts: [Candidates] = []
    for start in stride(from: 0, to: asked.count, by: passSize) {
      try Task.checkCancellation()
      let pass = asked[start..<min(start + passSize, asked.count)]
      let rows = try await centred.block(pass, of: queries)
      let columns = try await engine.topK(
        try Vectors(rows.elements, dimension: centred.dimension), among: columns, k: best)
      parts.append(Candidates(columns, firstGroup: shard.lowerBound))
      if isFirst {
        result.norms += rows.norms
        result.centerProducts += rows.centerProducts
      }
      let done = Double(pass.endIndex) / Double(asked.count) * Double(shard.count) + Double(shard.lowerBound)
      progress?(done / Double(representatives.count))
    }
    result.candidates = Candidates(parts)
    return result
  }
}
