/// A set of a graph's vertices.
struct VertexSet: Sendable, Hashable {
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
