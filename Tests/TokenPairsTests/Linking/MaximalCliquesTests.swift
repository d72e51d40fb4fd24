import Testing

@testable import TokenPairs

@Suite struct MaximalCliquesTests {
  private static let sizes = 0...12
  private static let densities = [0.1, 0.3, 0.5, 0.7, 0.9]

  private func graph(_ count: Int, _ edges: [(Int, Int)]) -> UndirectedGraph {
    var graph = UndirectedGraph(count: count)
    for (a, b) in edges { graph.link(a, b) }
    return graph
  }

  private func random(_ count: Int, density: Double, using random: inout SeededGenerator) -> UndirectedGraph {
    var graph = UndirectedGraph(count: count)
    for a in 0..<count {
      for b in 0..<a where Double.random(in: 0..<1, using: &random) < density { graph.link(a, b) }
    }
    return graph
  }

  /// `groups` groups of three, all vertices linked but those of one group: the graph with the most cliques,
  /// `3^groups` (Moon and Moser 1965).
  private func moonMoser(groups: Int) -> UndirectedGraph {
    let vertices = 0..<3 * groups
    return graph(3 * groups, vertices.flatMap { a in vertices.filter { $0 / 3 != a / 3 }.map { (a, $0) } })
  }

  /// Every subset is looked at: whether it is a clique, and whether a vertex could be added.
  private func bruteForce(_ graph: UndirectedGraph) -> [[Int]] {
    let neighbours = (0..<graph.count).map { a in
      (0..<graph.count).reduce(0) { $0 | (graph.areLinked(a, $1) ? 1 << $1 : 0) }
    }
    var common = [Int](repeating: 0, count: 1 << graph.count)
    common[0] = (1 << graph.count) - 1
    var isClique = [Bool](repeating: true, count: 1 << graph.count)
    var cliques: [[Int]] = []
    for set in 1..<1 << graph.count {
      let lowest = set.trailingZeroBitCount
      let rest = set & (set - 1)
      common[set] = common[rest] & neighbours[lowest]
      isClique[set] = isClique[rest] && rest & ~neighbours[lowest] == 0
      if isClique[set], common[set] == 0 { cliques.append((0..<graph.count).filter { set & 1 << $0 != 0 }) }
    }
    return cliques.sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// 3,055 graphs in all.
  @Test(arguments: sizes, densities) func cliquesAreThoseOfBruteForce(count: Int, density: Double) {
    var generator = SeededGenerator(UInt64(1000 * count) + UInt64(100 * density))
    for number in 0..<47 {
      let graph = random(count, density: density, using: &generator)
      let found = MaximalCliques(of: graph)
      let expected = bruteForce(graph)
      #expect(found.cliques == expected, "graph \(number)")
      #expect(found.isComplete)
    }
  }

  @Test func graphsWithoutEdgesAndWithAll() {
    #expect(MaximalCliques(of: graph(0, [])).cliques.isEmpty)
    #expect(MaximalCliques(of: graph(0, [])).isComplete)
    #expect(MaximalCliques(of: graph(3, [])).cliques == [[0], [1], [2]])
    #expect(MaximalCliques(of: graph(3, [(2, 1), (0, 1), (0, 2)])).cliques == [[0, 1, 2]])
  }

  @Test func aVertexIsNoNeighbourOfItsOwn() {
    let graph = graph(2, [(1, 1)])
    #expect(!graph.areLinked(1, 1))
    #expect(MaximalCliques(of: graph).cliques == [[0], [1]])
  }

  /// Rows of more than one word, against the search without a pivot on ordinary sets.
  @Test(arguments: [63, 64, 65, 130, 200]) func rowsSpanSeveralWords(count: Int) {
    var generator = SeededGenerator(UInt64(count))
    let graph = random(count, density: 0.15, using: &generator)
    let neighbours = (0..<count).map { a in Set((0..<count).filter { graph.areLinked(a, $0) }) }
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
    #expect(MaximalCliques(of: graph).cliques == expected.sorted { $0.lexicographicallyPrecedes($1) })
  }

  @Test func theGraphWithTheMostCliquesHasThemAll() {
    let found = MaximalCliques(of: moonMoser(groups: 5))
    #expect(found.isComplete)
    #expect(found.cliques.count == 243)
    #expect(found.cliques.allSatisfy { $0.map { $0 / 3 } == Array(0..<5) })
  }

  /// 3^20 cliques are three and a half thousand million.
  @Test func boundsEndASearchThatWouldNot() {
    let graph = moonMoser(groups: 20)
    let byWork = MaximalCliques(of: graph, stepLimit: 5000)
    #expect(!byWork.isComplete)
    #expect(byWork.steps == 5000)
    #expect(!byWork.cliques.isEmpty)
    let byCount = MaximalCliques(of: graph, cliqueLimit: 100)
    #expect(!byCount.isComplete)
    #expect(byCount.cliques.count == 100)
    for clique in byWork.cliques + byCount.cliques { #expect(clique.map { $0 / 3 } == Array(0..<20)) }
  }

  @Test func boundsThatAreJustEnoughLeaveNothingOut() {
    let graph = moonMoser(groups: 3)
    let all = MaximalCliques(of: graph)
    let bounded = MaximalCliques(of: graph, stepLimit: all.steps, cliqueLimit: all.cliques.count)
    #expect(bounded == all)
    #expect(bounded.isComplete)
    #expect(!MaximalCliques(of: graph, stepLimit: all.steps - 1).isComplete)
    #expect(!MaximalCliques(of: graph, cliqueLimit: all.cliques.count - 1).isComplete)
    let none = MaximalCliques(of: graph, stepLimit: 0)
    #expect(none.cliques.isEmpty)
    #expect(!none.isComplete)
  }

  @Test func aCliqueOfThousandsIsNoDeepRecursion() {
    let count = 2500
    var graph = UndirectedGraph(count: count)
    for a in 0..<count {
      for b in 0..<a { graph.link(a, b) }
    }
    let found = MaximalCliques(of: graph)
    #expect(found.cliques == [Array(0..<count)])
    // The root, and one level for each vertex that joins.
    #expect(found.steps == count + 1)
  }
}
