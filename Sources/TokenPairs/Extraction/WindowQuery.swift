package import Engine

/// What the heads found in a window.
package struct WindowFindings: Sendable, Hashable {
  /// Spans above the threshold, by label, first token, last token; tokens are counted with CLS as 0.
  package var spans: [LabelledSpan] = []
  /// Linked spans, as indices of `spans`.
  package var links: [SpanLink] = []
  /// Whether there was more than the options let pass.
  package var isTruncated = false
}

/// What a batch of windows is asked once its queries and keys are on the device: for spans, then for the links among
/// those that were found. No head's n × n scores exist.
package struct WindowQuery: Sendable {
  /// What links spans, and which of them can be linked at all.
  package struct Links: Sendable {
    package var rule: LinkRule
    package var query: LinkQuery

    package init(rule: LinkRule, query: LinkQuery) {
      self.rule = rule
      self.query = query
    }
  }

  /// Links of a window to keep at most, the strongest.
  private static let maximumLinks = 65_536

  package var spans: CellQuery
  /// What a span can be called: a cell's matrix is `window · labels + label`.
  package var labels: Int
  /// Nil for entities.
  package var links: Links?

  package init(spans: CellQuery, labels: Int, links: Links?) {
    self.spans = spans
    self.labels = labels
    self.links = links
  }

  /// Runs `submission` (what makes the queries' inputs), then the queries.
  ///
  /// - Parameters:
  ///   - submission: what is to run first.
  ///   - lengths: the windows' tokens.
  ///   - engine: the device.
  /// - Returns: findings, one a window.
  /// - Throws: `EngineError` if shapes contradict each other or the device has no room.
  package func findings(
    after submission: Submission, lengths: [Int], on engine: Engine
  ) async throws(EngineError) -> [WindowFindings] {
    // Real text has a few spans a sentence; a list this long is read back in one go.
    let found = try await engine.find(spans, after: submission, capacity: max(256, lengths.reduce(0, +)))
    var findings = [WindowFindings](repeating: WindowFindings(), count: lengths.count)
    // A head without a triangle also scores cells that end before they begin: they are no spans.
    for cell in found.cells where cell.row <= cell.column {
      findings[cell.matrix / labels].spans.append(
        LabelledSpan(label: cell.matrix % labels, range: cell.row..<cell.column + 1, score: cell.score))
    }
    for window in found.truncatedSegments { findings[window].isTruncated = true }
    if let links { try await Self.addLinks(links, to: &findings, lengths: lengths, on: engine) }
    return findings
  }

  private static func addLinks(
    _ links: Links, to findings: inout [WindowFindings], lengths: [Int], on engine: Engine
  ) async throws(EngineError) {
    var asked: [(window: Int, first: Int, second: Int)] = []
    var pairs: [LinkPair] = []
    var firstRow = 0
    for (window, length) in lengths.enumerated() {
      let spans = findings[window].spans
      let (wanted, isTruncated) = links.rule.pairs(among: spans)
      if isTruncated { findings[window].isTruncated = true }
      for (first, second) in wanted {
        let (head, tail) = links.rule.direction.cells(spans[first].range, spans[second].range)
        asked.append((window, first, second))
        pairs.append(
          LinkPair(
            head: (firstRow + head.row, firstRow + head.column), tail: (firstRow + tail.row, firstRow + tail.column)))
      }
      firstRow += length
    }
    var result = findings
    try await engine.links(links.query, among: pairs) { found in
      var touched: Set<Int> = []
      for link in found {
        let (window, first, second) = asked[link.pair]
        touched.insert(window)
        result[window].links.append(
          SpanLink(first: first, second: second, predicate: link.predicate, score: link.score))
      }
      for window in touched { result[window].keepStrongestLinks(maximumLinks) }
    }
    findings = result
  }
}

extension WindowFindings {
  /// Keeps the links with the highest scores, of equal ones the first.
  fileprivate mutating func keepStrongestLinks(_ limit: Int) {
    guard links.count > limit else { return }
    isTruncated = true
    let order = links.indices.sorted {
      links[$0].score != links[$1].score ? links[$0].score > links[$1].score : $0 < $1
    }
    links = order.prefix(limit).sorted().map { links[$0] }
  }
}
