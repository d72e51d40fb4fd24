/// How far below the text the line of each span is drawn: inner spans nearest, none on another's.
struct SpanLevels: Sendable {
  /// More lines than this below one word, as an untrained model makes, nobody can read.
  static let limit = 24

  /// Counted from 0; nil beyond the limit.
  let levels: [Int?]
  /// Levels in use.
  let count: Int

  /// - Parameters:
  ///   - ranges: the spans.
  ///   - length: of the text, in the units of the ranges.
  init(_ ranges: [Range<Int>], length: Int) {
    // How many levels are taken at each place of the text.
    var taken = Array(repeating: 0, count: length)
    var levels: [Int?] = Array(repeating: nil, count: ranges.count)
    let innerFirst = ranges.indices.sorted { left, right in
      (ranges[left].count, ranges[left].lowerBound, left) < (ranges[right].count, ranges[right].lowerBound, right)
    }
    for index in innerFirst {
      let level = taken[ranges[index]].max() ?? 0
      guard level < Self.limit else { continue }
      levels[index] = level
      for place in ranges[index] { taken[place] = level + 1 }
    }
    self.levels = levels
    count = taken.max() ?? 0
  }
}
