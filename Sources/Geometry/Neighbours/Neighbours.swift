public import Engine

/// How neighbours are searched: options that change speed and memory, never results.
public struct NeighbourOptions: Sendable {
  /// Bytes of vectors that are on the device at a time; a device with less room is given less.
  public var shardBytes = 256 << 20
  /// Called at intervals with the share that is done, from 0 to 1. A search that needs another pass starts again at 0.
  public var progress: (@Sendable (Double) -> Void)?
  /// Candidates beyond k that are compared exactly; chosen by k if nil.
  package var extraCandidates: Int?

  /// The usual options.
  public init() {}
}

extension Engine {
  /// The k nearest neighbours of every vector among the others: exact, ordered by distance, then index.
  ///
  /// Distances are Doubles, and those that are equal as such tie.
  ///
  /// The device looks for candidates in float32; their distances are then computed in Double from the vectors as they
  /// are, and it is proven for each vector that no other can be nearer. Memory grows with the vectors' number times k,
  /// and those of a file are read as they are needed.
  ///
  /// - Parameters:
  ///   - vectors: `Vectors`, or a `VectorFile`.
  ///   - k: neighbours of each: at least 1, and fewer than there are vectors.
  ///   - metric: how distances are measured.
  ///   - options: settings that change speed and memory, never results.
  /// - Returns: the neighbours of each vector; itself, by its index, is left out, copies of it are not.
  /// - Throws: `GeometryError` if `k` does not fit or a vector cannot be used; `EngineError` if the device fails.
  public func neighbours(
    of vectors: some VectorSource, k: Int, metric: Metric = .euclidean, options: NeighbourOptions = NeighbourOptions()
  ) async throws -> NeighbourLists {
    var search = try await NeighbourSearch(
      of: vectors, among: vectors, isOfItself: true, k: k, metric: metric, options: options, on: self)
    return try await search.run().lists
  }

  /// The k vectors of a reference set that are nearest to each query: exact, ordered by distance, then index.
  ///
  /// - Parameters:
  ///   - queries: the vectors asked about.
  ///   - reference: the vectors to choose from.
  ///   - k: neighbours of each query: at least 1, and no more than there are vectors to choose from.
  ///   - metric: how distances are measured.
  ///   - options: settings that change speed and memory, never results.
  /// - Returns: the neighbours of each query.
  /// - Throws: `GeometryError` if `k` or dimensions do not fit, or a vector cannot be used; `EngineError` if the device
  ///   fails.
  public func neighbours(
    of queries: some VectorSource, among reference: some VectorSource, k: Int, metric: Metric = .euclidean,
    options: NeighbourOptions = NeighbourOptions()
  ) async throws -> NeighbourLists {
    var search = try await NeighbourSearch(
      of: queries, among: reference, isOfItself: false, k: k, metric: metric, options: options, on: self)
    return try await search.run().lists
  }
}

/// How distances between vectors are measured: the smaller, the nearer.
public enum Metric: String, Sendable, Hashable, CaseIterable {
  /// `|x - y|`
  case euclidean
  /// `|x - y|²`
  case squaredEuclidean = "squared-euclidean"
  /// `1 - <x, y> / (|x| |y|)`; vectors of zeros have none. Computed to some thirty digits and rounded once, so that equal
  /// cosines come out equal; 0 for directions that differ by less than (d + 8) 2⁻⁵².
  case cosine
  /// `-<x, y>`: the greatest product is the nearest. A vector need not be nearest to itself.
  case innerProduct = "inner-product"

  /// Whether a distance is `|x - y|` or grows with it.
  var isEuclidean: Bool { self == .euclidean || self == .squaredEuclidean }
}

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
