/// Neighbours of one query while they are put in order: groups of equal vectors, and how far away they are.
struct NearestMembers {
  private let groups: DuplicateGroups

  init(_ groups: DuplicateGroups) { self.groups = groups }

  /// The `count` nearest vectors of some groups, by distance, then index.
  func callAsFunction(
    of found: [(group: Int32, distance: Double)], count: Int
  ) -> (indices: [Int32], distances: [Double]) {
    let sorted = found.sorted { ($0.distance, $0.group) < ($1.distance, $1.group) }
    var (indices, distances): ([Int32], [Double]) = ([], [])
    indices.reserveCapacity(count)
    distances.reserveCapacity(count)
    var first = 0
    while first < sorted.count, indices.count < count {
      // Groups that are equally far mix by index.
      let distance = sorted[first].distance
      var end = first + 1
      while end < sorted.count, sorted[end].distance == distance { end += 1 }
      let room = count - indices.count
      var members = sorted[first..<end].flatMap { groups.members(of: Int($0.group)).prefix(room) }
      if end > first + 1 { members.sort() }
      indices += members.prefix(room)
      distances += repeatElement(distance, count: min(room, members.count))
      first = end
    }
    return (indices, distances)
  }
}
