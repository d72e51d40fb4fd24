import Testing

@testable import TokenPairs

@Suite struct CliqueSearchTests {
  private static let sizes = 0...12
  private static let densities = [0.1, 0.3, 0.5, 0.7, 0.9]

  /// A graph, and its vertices from the strongest to the weakest.
  private struct Case {
    let graph: UndirectedGraph
    let edges: [(Int, Int)]
    var order: [Int]

    init(_ count: Int, _ edges: [(Int, Int)]) {
      graph = UndirectedGraph(count: count, edges: edges)
      self.edges = edges
      order = Array(0..<count)
    }

    func areLinked(_ a: Int, _ b: Int) -> Bool { edges.contains { $0 == (a, b) || $0 == (b, a) } }

    /// The cliques in the order that they are found in.
    func cliques(
      workLimit: Int = .max, limit: Int = .max, holding isWanted: (Int) -> Bool = { _ in true }
    ) -> (cliques: [[Int]], search: CliqueSearch) {
      var cliques: [[Int]] = []
      let search = CliqueSearch(of: graph, strongestFirst: order, holding: isWanted, workLimit: workLimit) {
        guard cliques.count < limit else { return false }
        cliques.append($0)
        return true
      }
      return (cliques, search)
    }

    var sorted: [[Int]] { cliques().cliques.sorted { $0.lexicographicallyPrecedes($1) } }
  }

  private func random(_ count: Int, density: Double, using random: inout SeededGenerator) -> Case {
    var edges: [(Int, Int)] = []
    for a in 0..<count {
      for b in 0..<a where Double.random(in: 0..<1, using: &random) < density { edges.append((a, b)) }
    }
    var result = Case(count, edges)
    result.order.shuffle(using: &random)
    return result
  }

  /// `groups` groups of three, all vertices linked but those of one group: the graph with the most cliques,
  /// `3^groups` (Moon and Moser 1965).
  private func moonMoser(groups: Int) -> Case {
    let vertices = 0..<3 * groups
    return Case(3 * groups, vertices.flatMap { a in vertices.filter { $0 / 3 != a / 3 }.map { (a, $0) } })
  }

  /// Every subset is looked at: whether it is a clique, and whether a vertex could be added.
  private func bruteForce(_ graph: Case) -> [[Int]] {
    let count = graph.graph.count
    let neighbours = (0..<count).map { a in
      (0..<count).reduce(0) { $0 | (graph.areLinked(a, $1) ? 1 << $1 : 0) }
    }
    var common = [Int](repeating: 0, count: 1 << count)
    common[0] = (1 << count) - 1
    var isClique = [Bool](repeating: true, count: 1 << count)
    var cliques: [[Int]] = []
    for set in 1..<1 << count {
      let lowest = set.trailingZeroBitCount
      let rest = set & (set - 1)
      common[set] = common[rest] & neighbours[lowest]
      isClique[set] = isClique[rest] && rest & ~neighbours[lowest] == 0
      if isClique[set], common[set] == 0 { cliques.append((0..<count).filter { set & 1 << $0 != 0 }) }
    }
    return cliques.sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// 3,055 graphs in all.
  @Test(arguments: sizes, densities) func cliquesAreThoseOfBruteForce(count: Int, density: Double) {
    var generator = SeededGenerator(UInt64(1000 * count) + UInt64(100 * density))
    for number in 0..<47 {
      let graph = random(count, density: density, using: &generator)
      let expected = bruteForce(graph)
      let (cliques, search) = graph.cliques()
      #expect(cliques.sorted { $0.lexicographicallyPrecedes($1) } == expected, "graph \(number)")
      #expect(search.isComplete)
      // From the strongest to the weakest: the place of a clique's last vertex in the order.
      let places = cliques.map { clique in clique.map { graph.order.firstIndex(of: $0) ?? -1 }.max() ?? -1 }
      #expect(places == places.sorted(), "graph \(number)")
      let (wanted, second) = graph.cliques { $0 % 4 == 1 }
      #expect(wanted == cliques.filter { $0.contains { $0 % 4 == 1 } }, "graph \(number)")
      #expect(second.isComplete)
    }
  }

  @Test func graphsWithoutEdgesAndWithAll() {
    #expect(Case(0, []).sorted.isEmpty)
    #expect(Case(0, []).cliques().search.isComplete)
    #expect(Case(3, []).sorted == [[0], [1], [2]])
    #expect(Case(3, [(2, 1), (0, 1), (0, 2), (1, 0)]).sorted == [[0, 1, 2]])
  }

  @Test func aVertexIsNoNeighbourOfItsOwn() { #expect(Case(2, [(1, 1)]).sorted == [[0], [1]]) }

  /// Rows of more than one word, of all vertices and of those near by, against the search without a pivot on ordinary
  /// sets.
  @Test(arguments: [63, 64, 65, 130, 200], [20, 1000]) func rowsSpanSeveralWords(count: Int, reach: Int) {
    var generator = SeededGenerator(UInt64(count))
    let edges = random(count, density: reach < count ? 0.6 : 0.15, using: &generator).edges.filter { $0 - $1 < reach }
    var graph = Case(count, edges)
    graph.order.shuffle(using: &generator)
    var neighbours = [Set<Int>](repeating: [], count: count)
    for (a, b) in edges {
      neighbours[a].insert(b)
      neighbours[b].insert(a)
    }
    var expected: [[Int]] = []
    func grow(_ clique: [Int], _ candidates: Set<Int>, _ tried: Set<Int>) {
      if candidates.isEmpty && tried.isEmpty { expected.append(clique.sorted()) }
      var (candidates, tried) = (candidates, tried)
      for vertex in candidates {
        grow(clique + [vertex], candidates.intersection(neighbours[vertex]), tried.intersection(neighbours[vertex]))
        candidates.remove(vertex)
        tried.insert(vertex)
      }
    }
    grow([], Set(0..<count), [])
    #expect(graph.sorted == expected.sorted { $0.lexicographicallyPrecedes($1) })
  }

  @Test func theGraphWithTheMostCliquesHasThemAll() {
    let (cliques, search) = moonMoser(groups: 5).cliques()
    #expect(search.isComplete)
    #expect(cliques.count == 243 && Set(cliques).count == 243)
    #expect(cliques.allSatisfy { $0.map { $0 / 3 } == Array(0..<5) })
  }

  /// 3^20 cliques are three and a half thousand million.
  @Test func boundsEndASearchThatWouldNot() {
    let graph = moonMoser(groups: 20)
    let (byWork, search) = graph.cliques(workLimit: 500_000)
    #expect(!search.isComplete)
    // A step may end past the bound.
    #expect(search.work < 510_000)
    #expect(!byWork.isEmpty)
    let (byCount, second) = graph.cliques(limit: 100)
    #expect(!second.isComplete)
    #expect(byCount.count == 100)
    for clique in byWork + byCount { #expect(clique.map { $0 / 3 } == Array(0..<20)) }
  }

  @Test func boundsThatAreJustEnoughLeaveNothingOut() {
    let graph = moonMoser(groups: 3)
    let (all, search) = graph.cliques()
    #expect(graph.cliques(limit: all.count).search == search)
    #expect(search.isComplete)
    #expect(!graph.cliques(limit: all.count - 1).search.isComplete)
    let (none, idle) = graph.cliques(workLimit: 0)
    #expect(none.isEmpty)
    #expect(!idle.isComplete)
  }

  /// A vertex whose neighbourhood cannot be searched to its end leaves the others' shares alone.
  @Test func workIsShared() {
    let heavy = moonMoser(groups: 20)
    var graph = Case(62, heavy.edges + [(60, 61)])
    graph.order.reverse()
    graph.order.swapAt(0, 60)
    let (cliques, search) = graph.cliques(workLimit: 500_000)
    #expect(!search.isComplete && cliques.contains([60, 61]))
  }

  @Test func aCliqueOfThousandsIsNoDeepRecursion() {
    let count = 2500
    let (cliques, search) = Case(count, (0..<count).flatMap { a in (0..<a).map { (a, $0) } }).cliques()
    #expect(cliques == [Array(0..<count)])
    #expect(search.isComplete)
    // A few rows for each vertex, not each row for each vertex.
    #expect(search.work < count * (count / 64 + 1) * 32)
  }
}
