/// A search for the maximal cliques of a graph: the sets of vertices that are all linked to one another and to which no
/// vertex can be added. A vertex without neighbours is a clique of its own; a graph without vertices has none.
///
/// Vertices have an order, the strongest first, and a clique is as strong as its weakest vertex. The search goes through
/// the vertices in that order and finds, for each, the cliques of which it is the weakest: those of its stronger
/// neighbours to which no weaker neighbour can be added. So cliques come from the strongest to the weakest, and a search
/// that ends early has found the strongest.
///
/// Within a vertex's neighbours it is Bron and Kerbosch's search (Algorithm 457, 1973) with the pivot of Tomita, Tanaka and
/// Takahashi (2006). There can be `3^(n/3)` cliques, so the search takes bounds. Its levels are an array rather than
/// calls: a clique of thousands of vertices is that many levels deep, more than a thread's stack holds.
package struct CliqueSearch: Sendable, Hashable {
  /// Whether all maximal cliques were found and taken.
  package private(set) var isComplete = true
  /// Words of bit sets that were looked at.
  package private(set) var work = 0

  /// Searches a graph.
  /// - Parameters:
  ///   - graph: what to search.
  ///   - order: the vertices, the strongest first.
  ///   - isWanted: of which vertices a clique has to hold one; others are passed over.
  ///   - workLimit: words of bit sets to look at, about. Each vertex gets its share, and what those before it left:
  ///     one amid more cliques than can be found does not take the work of the rest.
  ///   - take: is given each clique, ascending. The search ends if it returns false.
  package init(
    of graph: UndirectedGraph, strongestFirst order: [Int], holding isWanted: (Int) -> Bool = { _ in true },
    workLimit: Int = .max, take: ([Int]) -> Bool
  ) {
    precondition(order.count == graph.count)
    var (stronger, wanted) = (VertexSet(emptyOf: graph), VertexSet(emptyOf: graph))
    for vertex in order where isWanted(vertex) { wanted.insert(vertex) }
    for (place, vertex) in order.enumerated() {
      let limit = work + max(0, workLimit - work) / (order.count - place)
      guard search(graph, weakest: vertex, stronger, wanted, limit, take) else {
        isComplete = false
        return
      }
      stronger.insert(vertex)
    }
  }

  /// A node of the search tree: how the clique that led here can grow.
  private struct Level {
    /// Vertices linked to all of the clique, and not tried yet.
    var candidates: VertexSet
    /// Vertices linked to all of the clique, and tried: what can still grow by one of them was found there.
    var tried: VertexSet
    /// The candidates to branch on. A clique that holds none of them is not maximal: the pivot could be added.
    var branches: VertexSet
    /// Whether the clique holds a wanted vertex.
    let holdsWanted: Bool
    /// Words that were looked at to choose the pivot.
    let work: Int

    init(_ candidates: VertexSet, _ tried: VertexSet, holdsWanted: Bool, _ graph: UndirectedGraph) {
      self.candidates = candidates
      self.tried = tried
      self.holdsWanted = holdsWanted
      // The pivot is linked to as many candidates as any: to all but itself, if it is one, and none can do better.
      let total = candidates.count
      var (pivot, most, rows) = (-1, -1, 1)
      for (vertices, best) in [(tried, total), (candidates, total - 1)] {
        var left = vertices
        while most < best, let vertex = left.popFirst() {
          let count = candidates.count(in: graph.neighbours(vertex))
          if count > most { (pivot, most) = (vertex, count) }
          rows += 1
        }
      }
      branches = pivot < 0 ? candidates : candidates.subtracting(graph.neighbours(pivot))
      work = rows * candidates.wordCount + CliqueSearch.stepCost
    }
  }

  /// What a step costs beside the words that it looks at, in such words: the memory of its sets.
  private static let stepCost = 64

  /// Finds the cliques of a vertex and stronger ones.
  /// - Returns: false if a clique was not taken.
  private mutating func search(
    _ graph: UndirectedGraph, weakest: Int, _ stronger: VertexSet, _ wanted: VertexSet, _ limit: Int,
    _ take: ([Int]) -> Bool
  ) -> Bool {
    guard work < limit else {
      isComplete = false
      return true
    }
    let neighbours = VertexSet(graph.neighbours(weakest))
    work += 1 + neighbours.wordCount
    let isWanted = wanted.contains(weakest)
    if neighbours.isEmpty { return isWanted ? take([weakest]) : true }
    let candidates = neighbours.intersection(stronger.row)
    guard !candidates.isEmpty, isWanted || candidates.count(in: wanted.row) > 0 else { return true }
    var clique = [weakest]
    var levels = [Level(candidates, neighbours.subtracting(stronger.row), holdsWanted: isWanted, graph)]
    work += levels[0].work
    while var level = levels.popLast() {
      guard let vertex = level.branches.popFirst() else {
        _ = clique.popLast()
        continue
      }
      let candidates = level.candidates.intersection(graph.neighbours(vertex))
      let tried = level.tried.intersection(graph.neighbours(vertex))
      level.candidates.remove(vertex)
      level.tried.insert(vertex)
      levels.append(level)

      guard work < limit else {
        isComplete = false
        return true
      }
      work += 2 * candidates.wordCount + Self.stepCost
      let holdsWanted = level.holdsWanted || wanted.contains(vertex)
      guard holdsWanted || candidates.count(in: wanted.row) > 0 else { continue }
      if !candidates.isEmpty {
        let next = Level(candidates, tried, holdsWanted: holdsWanted, graph)
        work += next.work
        clique.append(vertex)
        levels.append(next)
      } else if tried.isEmpty {
        guard take((clique + [vertex]).sorted()) else { return false }
      }
    }
    return true
  }
}

/// A graph on the vertices `0..<count`. A vertex's neighbours are a bit set from the first to the last of them: where
/// vertices are linked to those near by, as the spans of a long text are, memory and work grow with the vertices, not with
/// their square.
package struct UndirectedGraph: Sendable, Hashable {
  /// Number of vertices.
  package let count: Int
  /// The number of each row's first word: it stands for the vertices from 64 times that.
  private var firstWords: [Int]
  /// Where each row begins in `words`, and where the last one ends.
  private var starts: [Int]
  private var words: [UInt64]

  /// Links pairs of vertices, both ways. A pair may be given twice; a vertex is no neighbour of its own.
  package init(count: Int, edges: [(Int, Int)]) {
    precondition(count >= 0)
    self.count = count
    var lowest = [Int](repeating: .max, count: count)
    var highest = [Int](repeating: -1, count: count)
    for (a, b) in edges where a != b {
      precondition(a >= 0 && a < count && b >= 0 && b < count)
      (lowest[a], highest[a]) = (min(lowest[a], b / 64), max(highest[a], b / 64))
      (lowest[b], highest[b]) = (min(lowest[b], a / 64), max(highest[b], a / 64))
    }
    firstWords = lowest
    starts = [0]
    var end = 0
    for (low, high) in zip(lowest, highest) {
      end += high < 0 ? 0 : high - low + 1
      starts.append(end)
    }
    words = [UInt64](repeating: 0, count: end)
    for (a, b) in edges where a != b {
      words[starts[a] + b / 64 - firstWords[a]] |= 1 << UInt64(b % 64)
      words[starts[b] + a / 64 - firstWords[b]] |= 1 << UInt64(a % 64)
    }
  }

  /// A vertex's neighbours.
  fileprivate func neighbours(_ vertex: Int) -> VertexRow {
    VertexRow(first: firstWords[vertex], words: words[starts[vertex]..<starts[vertex + 1]])
  }
}

/// Words of a bit set of vertices; there are none before and behind them.
private struct VertexRow {
  /// The first word's number.
  let first: Int
  let words: ArraySlice<UInt64>
}

/// A set of a graph's vertices.
private struct VertexSet {
  /// The first word's number.
  private let first: Int
  private var words: [UInt64]

  /// No vertex, with room for all of a graph.
  init(emptyOf graph: UndirectedGraph) {
    first = 0
    words = [UInt64](repeating: 0, count: (graph.count + 63) / 64)
  }

  /// The vertices of a row, with room for those that its words can hold.
  init(_ row: VertexRow) {
    first = row.first
    words = Array(row.words)
  }

  var isEmpty: Bool { words.allSatisfy { $0 == 0 } }
  var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }
  var wordCount: Int { words.count }
  var row: VertexRow { VertexRow(first: first, words: words[...]) }

  func contains(_ vertex: Int) -> Bool { words[vertex / 64 - first] & 1 << UInt64(vertex % 64) != 0 }
  mutating func insert(_ vertex: Int) { words[vertex / 64 - first] |= 1 << UInt64(vertex % 64) }
  mutating func remove(_ vertex: Int) { words[vertex / 64 - first] &= ~(1 << UInt64(vertex % 64)) }

  /// The indices of this set's words that a row has too, and what leads from one of them to the row's.
  private func shared(with row: VertexRow) -> (indices: Range<Int>, offset: Int) {
    let lower = min(max(0, row.first - first), words.count)
    let upper = max(lower, min(words.count, row.first + row.words.count - first))
    return (lower..<upper, first - row.first + row.words.startIndex)
  }

  /// How many of the set are in a row.
  func count(in row: VertexRow) -> Int {
    let (indices, offset) = shared(with: row)
    var count = 0
    for index in indices { count += (words[index] & row.words[index + offset]).nonzeroBitCount }
    return count
  }

  func intersection(_ row: VertexRow) -> VertexSet {
    let (indices, offset) = shared(with: row)
    var result = self
    for index in 0..<indices.lowerBound { result.words[index] = 0 }
    for index in indices { result.words[index] &= row.words[index + offset] }
    for index in indices.upperBound..<words.count { result.words[index] = 0 }
    return result
  }

  func subtracting(_ row: VertexRow) -> VertexSet {
    let (indices, offset) = shared(with: row)
    var result = self
    for index in indices { result.words[index] &= ~row.words[index + offset] }
    return result
  }

  /// Takes the lowest vertex out.
  mutating func popFirst() -> Int? {
    for index in words.indices where words[index] != 0 {
      defer { words[index] &= words[index] - 1 }
      return 64 * (first + index) + words[index].trailingZeroBitCount
    }
    return nil
  }
}
