public import Engine

/// How neighbours are searched: what changes speed and memory, never results.
public struct NeighbourOptions: Sendable {
  /// Bytes of vectors that are on the device at a time; a device with less room is given less.
  public var shardBytes = 256 << 20
  /// Called now and then with how much is done, from 0 to 1. A search that has to look again starts anew.
  public var progress: (@Sendable (Double) -> Void)?
  /// Candidates beyond k that are compared exactly; a fit number if nil.
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
  ///   - k: neighbours of each: from 1 to 1024, and fewer than there are vectors.
  ///   - metric: what is near.
  ///   - options: what changes speed and memory, never results.
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
  ///   - k: neighbours of each query: from 1 to 1024, and no more than there are vectors to choose from.
  ///   - metric: what is near.
  ///   - options: what changes speed and memory, never results.
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
