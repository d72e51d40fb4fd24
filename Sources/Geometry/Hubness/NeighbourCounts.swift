/// How many vectors have each vector among their k nearest: `N_k(x)` (Radovanović, Nanopoulos and Ivanović, "Hubs in
/// Space", 2010).
public struct NeighbourCounts: Sendable, Hashable {
  /// Neighbours that each vector has.
  public let k: Int
  /// How many vectors were asked: `Σ N_k = rowCount · k`.
  public let rowCount: Int
  /// `[vectors]`: `N_k` of each vector that could be a neighbour.
  public let counts: [Int]

  /// Counts from lists of neighbours.
  /// - Parameters:
  ///   - lists: the neighbours.
  ///   - k: how many of each list count; all if nil.
  public init(_ lists: NeighbourLists, k: Int? = nil) {
    let k = k ?? lists.k
    precondition((1...lists.k).contains(k))
    var counts = [Int](repeating: 0, count: lists.referenceCount)
    for row in 0..<lists.rowCount {
      for index in lists.indices(of: row).prefix(k) { counts[Int(index)] += 1 }
    }
    self.init(k: k, rowCount: lists.rowCount, counts: counts)
  }

  init(k: Int, rowCount: Int, counts: [Int]) {
    (self.k, self.rowCount, self.counts) = (k, rowCount, counts)
  }

  /// The vectors that at least `least` others have among their nearest, in order.
  public func hubs(atLeast least: Int) -> [Int] { counts.indices.filter { counts[$0] >= least } }

  /// The vectors that are nobody's neighbours, in order.
  public var antihubs: [Int] { counts.indices.filter { counts[$0] == 0 } }

  /// The vectors with the greatest counts, greatest first, of equal ones the first.
  public func largest(_ count: Int) -> [Int] {
    Array(counts.indices.sorted { (counts[$1], $0) < (counts[$0], $1) }.prefix(count))
  }

  /// How many vectors have each count: `histogram[c]` have `N_k = c`.
  public var histogram: [Int] {
    var histogram = [Int](repeating: 0, count: (counts.max() ?? 0) + 1)
    for count in counts { histogram[count] += 1 }
    return histogram
  }
}
