/// The k nearest neighbours of some vectors: row after row, by distance, then index.
public struct NeighbourLists: Sendable, Hashable {
  /// Neighbours of a vector.
  public let k: Int
  /// How distances were measured.
  public let metric: Metric
  /// How many vectors the neighbours were chosen from.
  public let referenceCount: Int
  /// Whether the vectors are the same as those the neighbours were chosen from, each without itself.
  public let isOfItself: Bool
  /// `[rows, k]`: which vectors they are.
  public let indices: [Int32]
  /// `[rows, k]`: how far away they are.
  public let distances: [Double]

  /// How many vectors have neighbours.
  public var rowCount: Int { indices.count / k }

  /// Lists from their parts.
  package init(
    k: Int, metric: Metric, referenceCount: Int, isOfItself: Bool, indices: [Int32], distances: [Double]
  ) {
    precondition(k > 0 && indices.count == distances.count && indices.count.isMultiple(of: k))
    self.k = k
    self.metric = metric
    self.referenceCount = referenceCount
    self.isOfItself = isOfItself
    self.indices = indices
    self.distances = distances
  }

  /// The neighbours of one vector.
  public func indices(of row: Int) -> ArraySlice<Int32> { indices[row * k..<(row + 1) * k] }
  /// Their distances.
  public func distances(of row: Int) -> ArraySlice<Double> { distances[row * k..<(row + 1) * k] }

  /// The first `count` neighbours of each vector.
  public func prefix(_ count: Int) -> NeighbourLists {
    precondition((1...k).contains(count))
    func cut<Element>(_ elements: [Element]) -> [Element] {
      (0..<rowCount).flatMap { elements[$0 * k..<$0 * k + count] }
    }
    return NeighbourLists(
      k: count, metric: metric, referenceCount: referenceCount, isOfItself: isOfItself, indices: cut(indices),
      distances: cut(distances))
  }
}
