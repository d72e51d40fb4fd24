/// The maximal cliques of a graph: the sets of vertices that are all linked to one another and to which no vertex can be
/// added. A vertex without neighbours is a clique of its own; a graph without vertices has none.
///
/// Bron and Kerbosch's search (Algorithm 457, 1973) with the pivot of Tomita, Tanaka and Takahashi (2006), which takes
/// `O(3^(n/3))` steps, as many as there can be cliques. That is why the search takes bounds. Its levels are an array
/// rather than calls: a clique of thousands of vertices is that many levels deep, more than a thread's stack holds.
package struct MaximalCliques: Sendable, Hashable {
  /// Each ascending, the list in lexicographic order.
  package private(set) var cliques: [[Int]] = []
  /// Whether these are all; if not, a bound was hit, and these are the ones that were found before.
  package private(set) var isComplete = true
  /// Nodes of the search tree that were visited.
  package private(set) var steps = 0

  /// Searches a graph.
  /// - Parameters:
  ///   - graph: what to search.
  ///   - stepLimit: nodes of the search tree to visit at most; one costs up to `count² / 64` word operations.
  ///   - cliqueLimit: cliques to keep at most.
  package init(of graph: UndirectedGraph, stepLimit: Int = .max, cliqueLimit: Int = .max) {
    search(graph, stepLimit, cliqueLimit)
    cliques.sort { $0.lexicographicallyPrecedes($1) }
  }

  /// A node of the search tree: how the clique that led here can grow.
  private struct Level {
    /// Vertices linked to all of the clique, and not tried yet.
    var candidates: VertexSet
    /// Vertices linked to all of the clique, and tried: what can still grow by one of them was found there.
    var tried: VertexSet
    /// The candidates to branch on. A clique that holds none of them is not maximal: the pivot could be added.
    var branches: VertexSet

    init(_ candidates: VertexSet, _ tried: VertexSet, _ graph: UndirectedGraph) {
      self.candidates = candidates
      self.tried = tried
      // The pivot is linked to as many candidates as any: to all but itself, if it is one, and none can do better.
      let total = candidates.count
      var (pivot, most) = (-1, -1)
      for (vertices, best) in [(tried, total), (candidates, total - 1)] {
        var left = vertices
        while most < best, let vertex = left.popFirst() {
          let count = candidates.count(in: graph.neighbours(vertex))
          if count > most { (pivot, most) = (vertex, count) }
        }
      }
      branches = pivot < 0 ? candidates : candidates.subtracting(graph.neighbours(pivot))
    }
  }

  private mutating func search(_ graph: UndirectedGraph, _ stepLimit: Int, _ cliqueLimit: Int) {
    guard graph.count > 0 else { return }
    guard stepLimit > 0 else { return isComplete = false }
    steps = 1
    var clique: [Int] = []
    var levels = [Level(VertexSet(allOf: graph), VertexSet(emptyOf: graph), graph)]
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

      guard steps < stepLimit else { return isComplete = false }
      steps += 1
      if !candidates.isEmpty {
        clique.append(vertex)
        levels.append(Level(candidates, tried, graph))
      } else if tried.isEmpty {
        guard cliques.count < cliqueLimit else { return isComplete = false }
        cliques.append((clique + [vertex]).sorted())
      }
    }
  }
}

/// A graph on the vertices `0..<count`, its rows of neighbours as bit sets: a set operation costs `count / 64` words.
package struct UndirectedGraph: Sendable, Hashable {
  /// Number of vertices.
  package let count: Int
  /// Words of a set of vertices.
  let wordCount: Int
  private var words: [UInt64]

  /// A graph without edges; it takes `count² / 8` bytes.
  package init(count: Int) {
    precondition(count >= 0)
    self.count = count
    wordCount = (count + 63) / 64
    words = [UInt64](repeating: 0, count: count * wordCount)
  }

  /// Links two vertices, both ways; a vertex is no neighbour of its own.
  package mutating func link(_ a: Int, _ b: Int) {
    precondition(a >= 0 && a < count && b >= 0 && b < count)
    guard a != b else { return }
    words[a * wordCount + b / 64] |= 1 << UInt64(b % 64)
    words[b * wordCount + a / 64] |= 1 << UInt64(a % 64)
  }

  /// Whether an edge joins two vertices.
  package func areLinked(_ a: Int, _ b: Int) -> Bool {
    words[a * wordCount + b / 64] & 1 << UInt64(b % 64) != 0
  }

  /// A vertex's neighbours.
  func neighbours(_ vertex: Int) -> ArraySlice<UInt64> {
    words[vertex * wordCount..<(vertex + 1) * wordCount]
  }
}

/// A set of a graph's vertices.
private struct VertexSet: Sendable, Hashable {
  private var words: [UInt64]

  /// No vertex of a graph.
  init(emptyOf graph: UndirectedGraph) {
    words = [UInt64](repeating: 0, count: graph.wordCount)
  }

  /// Every vertex of a graph.
  init(allOf graph: UndirectedGraph) {
    self.init(emptyOf: graph)
    for vertex in 0..<graph.count { insert(vertex) }
  }

  var isEmpty: Bool { words.allSatisfy { $0 == 0 } }
  var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

  mutating func insert(_ vertex: Int) { words[vertex / 64] |= 1 << UInt64(vertex % 64) }
  mutating func remove(_ vertex: Int) { words[vertex / 64] &= ~(1 << UInt64(vertex % 64)) }

  /// How many of the set are among `others`, a row of neighbours.
  func count(in others: ArraySlice<UInt64>) -> Int {
    var count = 0
    for (index, other) in zip(words.indices, others) { count += (words[index] & other).nonzeroBitCount }
    return count
  }

  func intersection(_ others: ArraySlice<UInt64>) -> VertexSet {
    var result = self
    for (index, other) in zip(words.indices, others) { result.words[index] &= other }
    return result
  }

  func subtracting(_ others: ArraySlice<UInt64>) -> VertexSet {
    var result = self
    for (index, other) in zip(words.indices, others) { result.words[index] &= ~other }
    return result
  }

  /// Takes the lowest vertex out.
  mutating func popFirst() -> Int? {
    for index in words.indices where words[index] != 0 {
      defer { words[index] &= words[index] - 1 }
      return 64 * index + words[index].trailingZeroBitCount
    }
    return nil
  }
}
