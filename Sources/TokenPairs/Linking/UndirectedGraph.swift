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
