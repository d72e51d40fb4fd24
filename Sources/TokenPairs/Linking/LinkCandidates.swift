/// What of a list of scored items takes part in linking: none twice, and the strongest only if there are too many.
struct LinkCandidates: Sendable {
  /// Indices of the items that take part, in order of place.
  private(set) var kept: [Int] = []
  /// Whether items were left out for their number.
  let isTruncated: Bool
  private var representatives: [Int: Int] = [:]

  /// - Parameters:
  ///   - indices: the items.
  ///   - place: what makes an item itself; of equal ones the highest score stays, the first of equal scores.
  ///   - precedes: the order of places.
  ///   - score: an item's score.
  ///   - limit: distinct items to keep at most; of equal scores the first in order of place.
  init<Place: Hashable>(
    _ indices: some Sequence<Int>, place: (Int) -> Place, precedes: (Place, Place) -> Bool, score: (Int) -> Float,
    limit: Int
  ) {
    var best: [Place: Int] = [:]
    let indices = Array(indices)
    for index in indices {
      let place = place(index)
      if let other = best[place], score(other) >= score(index) { continue }
      best[place] = index
    }
    var strongest = Array(best.values)
    isTruncated = strongest.count > max(0, limit)
    if isTruncated {
      strongest.sort { score($0) != score($1) ? score($0) > score($1) : precedes(place($0), place($1)) }
      strongest.removeLast(strongest.count - max(0, limit))
    }
    kept = strongest.sorted { precedes(place($0), place($1)) }
    let keptPlaces = Set(kept)
    for index in indices {
      if let item = best[place(index)], keptPlaces.contains(item) { representatives[index] = item }
    }
  }

  /// The kept item that an item is, or is a repeat of.
  func representative(of index: Int) -> Int? { representatives[index] }
}
