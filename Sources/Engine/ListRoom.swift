extension Engine {
  /// Fills a list on the device whose length is not known before: with room for `capacity` entries first, and again with
  /// room for all where that was too little. Nothing is lost.
  ///
  /// - Parameters:
  ///   - capacity: entries that there is room for at first.
  ///   - attempt: runs what fills the list; returns nil if it had room for all, else how many entries there are.
  /// - Throws: what `attempt` throws.
  package func fillList(
    capacity: Int, _ attempt: (_ capacity: Int) async throws(EngineError) -> Int?
  ) async throws(EngineError) {
    var capacity = capacity
    while let needed = try await attempt(capacity) { capacity = needed }
  }
}
