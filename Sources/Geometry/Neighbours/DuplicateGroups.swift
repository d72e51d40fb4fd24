/// Which vectors are equal. Only one of each is compared with others: a set full of copies costs no more than its
/// distinct vectors, and copies are as near as each other to the last bit.
struct DuplicateGroups: Sendable {
  /// The first vector of each group, ascending.
  let representatives: [Int32]
  /// The group of each vector; nil if all are distinct.
  private let groups: [Int32]?
  /// The vectors of each group, ascending; those of group `g` are `members[starts[g]..<starts[g + 1]]`.
  private let members: [Int32]
  private let starts: [Int32]

  /// Finds equal vectors among those whose hashes are equal.
  init(of source: some VectorSource, hashes: [UInt64]) {
    var representatives: [Int32] = []
    var groups: [Int32] = []
    groups.reserveCapacity(hashes.count)
    // The newest group of each hash, and the one before it of the same hash.
    var newest: [UInt64: Int32] = Dictionary(minimumCapacity: hashes.count)
    var earlier: [Int32] = []
    VectorReader.reading(source) { reader in
      for (row, hash) in hashes.enumerated() {
        var candidate = newest[hash] ?? -1
        while candidate >= 0, !reader.areEqual(row, Int(representatives[Int(candidate)]), source.dimension) {
          candidate = earlier[Int(candidate)]
        }
        if candidate < 0 {
          candidate = Int32(representatives.count)
          representatives.append(Int32(row))
          earlier.append(newest.updateValue(candidate, forKey: hash) ?? -1)
        }
        groups.append(candidate)
      }
    }
    self.representatives = representatives
    guard representatives.count < groups.count else {
      (self.groups, members, starts) = (nil, [], [])
      return
    }
    var starts = [Int32](repeating: 0, count: representatives.count + 1)
    for group in groups { starts[Int(group) + 1] += 1 }
    for group in representatives.indices { starts[group + 1] += starts[group] }
    var next = starts
    var members = [Int32](repeating: 0, count: groups.count)
    for (row, group) in groups.enumerated() {
      members[Int(next[Int(group)])] = Int32(row)
      next[Int(group)] += 1
    }
    (self.groups, self.members, self.starts) = (groups, members, starts)
  }

  var count: Int { representatives.count }

  func group(of row: Int) -> Int { groups.map { Int($0[row]) } ?? row }

  /// The vectors of a group, ascending.
  func members(of group: Int) -> ArraySlice<Int32> {
    groups == nil ? representatives[group...group] : members[Int(starts[group])..<Int(starts[group + 1])]
  }
}

extension VectorReader {
  fileprivate func areEqual(_ a: Int, _ b: Int, _ dimension: Int) -> Bool {
    withVector(a) { a in
      withVector(b) { b in (0..<dimension).allSatisfy { a[$0] == b[$0] } }
    }
  }
}
