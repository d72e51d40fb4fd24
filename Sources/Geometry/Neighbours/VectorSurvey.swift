/// What one pass over all vectors finds: whether they can be used, how large they are, and which may be equal.
struct VectorSurvey: Sendable {
  let count: Int
  /// The largest magnitude of an element.
  var largest: Float
  /// That of each vector.
  var magnitudes: [Float]
  /// Whether all elements are whole numbers.
  var isIntegral: Bool
  /// A hash of each vector, the same for equal ones.
  var hashes: [UInt64]

  private static let blockSize = 512

  /// Reads all vectors.
  /// - Throws: `GeometryError` if an element is not finite, or a vector of zeros has no direction under the cosine metric.
  init(of source: some VectorSource, metric: Metric, name: String) async throws {
    let stored = (source as? VectorFile).map { file in
      { @Sendable (row: Int, channel: Int) in try file.element(row, channel) }
    }
    let parts = try await inParallel(source.count, blockSize: Self.blockSize) { block in
      try VectorReader.reading(source) { reader in
        try Part(of: reader, block, dimension: source.dimension, metric: metric, name: name, stored)
      }
    }
    count = source.count
    largest = 0
    isIntegral = true
    (hashes, magnitudes) = ([], [])
    hashes.reserveCapacity(source.count)
    magnitudes.reserveCapacity(source.count)
    for part in parts {
      largest = max(largest, part.largest)
      isIntegral = isIntegral && part.isIntegral
      hashes += part.hashes
      magnitudes += part.magnitudes
    }
  }

  private struct Part: Sendable {
    var largest: Float = 0
    var isIntegral = true
    var hashes: [UInt64] = []
    var magnitudes: [Float] = []

    init(
      of reader: VectorReader, _ block: Range<Int>, dimension: Int, metric: Metric, name: String,
      _ stored: ((Int, Int) throws -> Double)?
    ) throws {
      hashes.reserveCapacity(block.count)
      magnitudes.reserveCapacity(block.count)
      try reader.forEach(in: block) { row, vector in
        let (hash, magnitude) = examine(vector, dimension)
        guard magnitude.isFinite else { throw try notFinite(vector, dimension, row, name, stored) }
        largest = max(largest, magnitude)
        hashes.append(hash)
        magnitudes.append(magnitude)
        try require(
          metric != .cosine || magnitude > 0,
          "\(name) \(row) is all zeros and has no direction: leave it out, or use another metric than cosine")
      }
    }

    /// A vector's hash (after MurmurHash's mixing, Appleby 2011) and its largest magnitude, NaN above all.
    private mutating func examine(_ vector: UnsafePointer<Float>, _ dimension: Int) -> (UInt64, Float) {
      var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
      var magnitude: UInt32 = 0
      var isIntegral = true
      for channel in 0..<dimension {
        // Zeros of both signs are equal.
        let value = vector[channel] + 0
        hash = (hash ^ UInt64(value.bitPattern)) &* 0xFF51_AFD7_ED55_8CCD
        hash ^= hash >> 29
        magnitude = max(magnitude, value.bitPattern & 0x7FFF_FFFF)
        isIntegral = isIntegral && value.rounded(.towardZero) == value
      }
      self.isIntegral = self.isIntegral && isIntegral
      return (hash, Float(bitPattern: magnitude))
    }
  }
}

private func notFinite(
  _ vector: UnsafePointer<Float>, _ dimension: Int, _ row: Int, _ name: String, _ stored: ((Int, Int) throws -> Double)?
) throws -> GeometryError {
  let channel = (0..<dimension).first { !vector[$0].isFinite } ?? 0
  if let value = try stored?(row, channel), value.isFinite {
    return GeometryError(
      "\(name) \(row) has \(value) at \(channel), which is beyond float32, at most "
        + "\(Float.greatestFiniteMagnitude): scale the vectors down")
  }
  return GeometryError("\(name) \(row) has \(vector[channel]) at \(channel), where a finite number is expected")
}

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
  /// - Throws: the source's error.
  init(of source: some VectorSource, hashes: [UInt64]) throws {
    var representatives: [Int32] = []
    var groups: [Int32] = []
    groups.reserveCapacity(hashes.count)
    // The newest group of each hash, and the one before it of the same hash.
    var newest: [UInt64: Int32] = Dictionary(minimumCapacity: hashes.count)
    var earlier: [Int32] = []
    try VectorReader.reading(source) { reader in
      for (row, hash) in hashes.enumerated() {
        var candidate = newest[hash] ?? -1
        while candidate >= 0, try !reader.areEqual(row, Int(representatives[Int(candidate)]), source.dimension) {
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

  /// The `count` nearest vectors of some groups that are in order, nearest first: by distance, then index.
  func nearest(
    _ sorted: [FoundGroup], count: Int
  ) -> (indices: [Int32], distances: [Double]) {
    guard groups != nil else {
      let nearest = sorted.prefix(count)
      return (nearest.map { representatives[Int($0.group)] }, nearest.map(\.distance))
    }
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
      var nearest = sorted[first..<end].flatMap { members(of: Int($0.group)).prefix(room) }
      if end > first + 1 { nearest.sort() }
      indices += nearest.prefix(room)
      distances += repeatElement(distance, count: min(room, nearest.count))
      first = end
    }
    return (indices, distances)
  }
}

/// A group of equal vectors, and how far it is from a query.
struct FoundGroup: Comparable {
  var group: Int32
  var distance: Double

  static func < (a: FoundGroup, b: FoundGroup) -> Bool {
    a.distance < b.distance || (a.distance == b.distance && a.group < b.group)
  }
}

extension [FoundGroup] {
  /// Sorts by distance, then group, in few steps where they are nearly in order, as candidates are.
  mutating func sortNearlySorted() {
    var moves = 0
    for at in indices.dropFirst() {
      let found = self[at]
      var place = at
      while place > 0, found < self[place - 1] {
        self[place] = self[place - 1]
        place -= 1
      }
      self[place] = found
      moves += at - place
      if moves > 8 * count { return sort() }
    }
  }
}

extension VectorReader {
  fileprivate func areEqual(_ a: Int, _ b: Int, _ dimension: Int) throws -> Bool {
    try withVector(a) { a in
      try withVector(b) { b in (0..<dimension).allSatisfy { a[$0] == b[$0] } }
    }
  }
}
