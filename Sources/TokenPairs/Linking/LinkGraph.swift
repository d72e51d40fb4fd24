/// The nodes of one event type and the links among them, in the parts that hang together: a long text is many small
/// graphs, and a search pays for the size of each alone.
struct LinkGraph: Sendable {
  private let count: Int
  /// Linked vertices, the lower first.
  private var links: [(Int, Int)] = []

  /// - Parameters:
  ///   - candidates: the vertices, in reading order: cliques then come in that order.
  ///   - hits: linked nodes, as the candidates' items.
  init(_ candidates: LinkCandidates, _ hits: [LinkHit]) {
    count = candidates.kept.count
    let vertices = Dictionary(uniqueKeysWithValues: zip(candidates.kept, candidates.kept.indices))
    for hit in hits {
      guard let first = candidates.representative(of: hit.first).flatMap({ vertices[$0] }),
        let second = candidates.representative(of: hit.second).flatMap({ vertices[$0] }), first != second
      else { continue }
      links.append((min(first, second), max(first, second)))
    }
  }

  /// Finds the maximal cliques.
  /// - Parameters:
  ///   - workLimit: words of bit sets to touch at most, all parts together.
  ///   - cliqueLimit: cliques to keep at most.
  /// - Returns: the cliques as vertices, in lexicographic order; whether these are all; and the words touched.
  func cliques(workLimit: Int, cliqueLimit: Int) -> (cliques: [[Int]], isComplete: Bool, work: Int) {
    var found: [[Int]] = []
    var isComplete = true
    var workLeft = workLimit
    let parts = parts
    for (index, part) in parts.enumerated() {
      // A step costs up to a row of bits for each vertex; each part gets its share, and what others left.
      let stepCost = max(1, part.vertices.count * part.vertices.count / 64)
      let partsLeft = parts.count - index
      let search = MaximalCliques(
        of: part.graph, stepLimit: workLeft / stepCost / partsLeft, cliqueLimit: (cliqueLimit - found.count) / partsLeft
      )
      workLeft -= search.steps * stepCost
      found += search.cliques.map { $0.map { part.vertices[$0] } }
      isComplete = isComplete && search.isComplete
    }
    return (found.sorted { $0.lexicographicallyPrecedes($1) }, isComplete, workLimit - workLeft)
  }

  /// The connected parts, by their first vertex; a vertex without links is one.
  private var parts: [(vertices: [Int], graph: UndirectedGraph)] {
    var parents = Array(0..<count)
    func root(_ vertex: Int) -> Int {
      var root = vertex
      while parents[root] != root {
        parents[root] = parents[parents[root]]
        root = parents[root]
      }
      return root
    }
    for (a, b) in links {
      let (first, second) = (root(a), root(b))
      parents[max(first, second)] = min(first, second)
    }
    var members: [Int: [Int]] = [:]
    for vertex in 0..<count { members[root(vertex), default: []].append(vertex) }
    var places = [Int](repeating: 0, count: count)
    for vertices in members.values {
      for (place, vertex) in vertices.enumerated() { places[vertex] = place }
    }
    var graphs = members.mapValues { UndirectedGraph(count: $0.count) }
    for (a, b) in links { graphs[root(a)]?.link(places[a], places[b]) }
    return members.sorted { $0.key < $1.key }.compactMap { key, vertices in
      graphs[key].map { (vertices, $0) }
    }
  }
}
