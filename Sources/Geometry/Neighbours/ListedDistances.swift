/// Vectors that are listed for each of some queries: their rows in the source, list after list.
struct VectorLists {
  private(set) var rows: [Int32] = []
  /// Where the list of each query ends.
  private(set) var ends: [Int] = []

  /// Lists of groups of equal vectors, which the first of each stands for.
  init(_ lists: [ArraySlice<Int32>], of representatives: [Int32]) {
    rows.reserveCapacity(lists.reduce(0) { $0 + $1.count })
    for list in lists {
      for group in list { rows.append(representatives[Int(group)]) }
      ends.append(rows.count)
    }
  }

  /// The places of a query's list.
  func places(of query: Int) -> Range<Int> { (query == 0 ? 0 : ends[query - 1])..<ends[query] }
}

extension VectorReader {
  /// Measures from queries to what is listed for each.
  ///
  /// Where long lists of many queries have vectors in common, these are taken from memory once for all: a few vectors at a
  /// time stay in a processor's cache, and one query after the other is compared with those of them that it lists.
  ///
  /// - Parameters:
  ///   - queries: how to measure from each query.
  ///   - lists: a list for each.
  /// - Returns: the distances, in the order of the lists.
  /// - Throws: the source's error.
  func distances(from queries: [ExactDistance], to lists: VectorLists) throws -> [Double] {
    if let base { return distances(from: queries, to: lists, at: base) }
    return try queries.indices.flatMap { query in
      let places = lists.places(of: query)
      // A part at a time: vectors of a file are copied.
      return try stride(from: places.lowerBound, to: places.upperBound, by: 256).flatMap { first in
        try withVectors(lists.rows[first..<min(first + 256, places.upperBound)]) { queries[query](to: $0) }
      }
    }
  }

  /// Bytes of vectors that stay in a processor's second cache, beside those of the queries.
  private static let blockBytes = 384 << 10

  private func distances(
    from queries: [ExactDistance], to lists: VectorLists, at base: UnsafePointer<Float>
  ) -> [Double] {
    let dimension = source.dimension
    let rows = lists.rows
    // A power of two: a row's block is a shift away. Lists so short that they have few vectors in a block go whole.
    var shift = Int32(Int.bitWidth - 1 - max(1, Self.blockBytes / (4 * dimension)).leadingZeroBitCount)
    if rows.count >> 3 < queries.count * (source.count >> shift) { shift = 31 }
    // Places in the order of their blocks, and in a block in the order of the queries.
    var starts = [Int](repeating: 0, count: (source.count - 1) >> shift + 2)
    for row in rows { starts[Int(row >> shift) + 1] += 1 }
    for block in 1..<starts.count { starts[block] += starts[block - 1] }
    var order = [(place: Int32, query: Int32)](repeating: (0, 0), count: rows.count)
    for query in queries.indices {
      for place in lists.places(of: query) {
        let block = Int(rows[place] >> shift)
        order[starts[block]] = (Int32(place), Int32(query))
        starts[block] += 1
      }
    }

    var distances = [Double](repeating: 0, count: rows.count)
    var (vectors, found): ([UnsafePointer<Float>], [Double]) = ([], [])
    var first = 0
    while first < order.count {
      let (place, query) = order[first]
      let block = rows[Int(place)] >> shift
      var end = first + 1
      while end < order.count, order[end].query == query, rows[Int(order[end].place)] >> shift == block {
        end += 1
      }
      vectors.removeAll(keepingCapacity: true)
      for at in first..<end { vectors.append(base + Int(rows[Int(order[at].place)]) * dimension) }
      if found.count < vectors.count { found = [Double](repeating: 0, count: 2 * vectors.count) }
      vectors.withUnsafeBufferPointer { vectors in
        found.withUnsafeMutableBufferPointer { queries[Int(query)](to: vectors, into: $0) }
      }
      for at in first..<end { distances[Int(order[at].place)] = found[at - first] }
      first = end
    }
    return distances
  }
}
