/// A document's text with its marks as nested elements.
///
/// Elements cannot cross as spans can. A span that crosses the end of one around it is closed there and opened again:
/// both parts carry its number, and the last its label.
struct MarkedText: Sendable {
  let levels: SpanLevels

  private let text: String
  private let marks: [DocumentMarks.Mark]
  /// The marks in whole grapheme clusters, so that no accent is torn from its letter.
  private let ranges: [Range<Int>]

  init(_ text: String, marks: [DocumentMarks.Mark]) {
    self.text = text
    self.marks = marks
    var starts: [Int] = []  // for each code point, and for the end, where its cluster begins
    for character in text {
      starts.append(contentsOf: repeatElement(starts.count, count: character.unicodeScalars.count))
    }
    let length = starts.count
    starts.append(length)
    ranges = marks.map { mark in
      var end = mark.range.upperBound
      while starts[end] != end { end += 1 }
      return starts[mark.range.lowerBound]..<end
    }
    levels = SpanLevels(ranges, length: length)
  }

  /// Writes the text, each mark with the classes of its `look` and a `title` for where the pointer rests on it.
  func write(to writer: inout HTMLWriter, look: (Int) -> String, title: (Int) -> String) {
    let scalars = text.unicodeScalars
    var place = (offset: 0, index: scalars.startIndex)
    var open: [Int] = []
    let outerFirst = ranges.indices.filter { levels.levels[$0] != nil }.sorted { left, right in
      (ranges[left].lowerBound, -ranges[left].upperBound, -(levels.levels[left] ?? 0))
        < (ranges[right].lowerBound, -ranges[right].upperBound, -(levels.levels[right] ?? 0))
    }
    var next = outerFirst[...]

    func advance(to offset: Int) {
      let index = scalars.index(place.index, offsetBy: offset - place.offset)
      writer.text(text[place.index..<index])
      place = (offset, index)
    }
    func begin(_ mark: Int) {
      let level = levels.levels[mark] ?? 0
      writer.markup("<span")
      writer.attribute("class", (level == 0 ? "s in " : "s ") + look(mark))
      writer.attribute("data-s", "\(mark)")
      if level > 0 { writer.attribute("style", "--d:\(level)") }
      // The part that nothing cuts short is the last.
      if open.allSatisfy({ ranges[$0].upperBound >= ranges[mark].upperBound }) {
        writer.attribute("data-l", marks[mark].label)
      }
      writer.attribute("title", title(mark))
      writer.markup(">")
      open.append(mark)
    }
    func endAll(at offset: Int) {
      guard let lowest = open.firstIndex(where: { ranges[$0].upperBound == offset }) else { return }
      let closed = open[lowest...]
      for _ in closed { writer.markup("</span>") }
      open.removeSubrange(lowest...)
      for mark in closed where ranges[mark].upperBound > offset { begin(mark) }
    }

    while let boundary = [next.first.map { ranges[$0].lowerBound }, open.map { ranges[$0].upperBound }.min()]
      .compactMap(\.self).min()
    {
      advance(to: boundary)
      endAll(at: boundary)
      while let mark = next.first, ranges[mark].lowerBound == boundary {
        begin(mark)
        next.removeFirst()
      }
    }
    writer.text(text[place.index...])
  }
}

/// How far below the text the line of each span is drawn: inner spans nearest, none on another's.
struct SpanLevels: Sendable {
  /// The most lines below one word. An untrained model would make more, which cannot be read.
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
