internal import Engine
internal import Networks

/// What the heads found in a window.
struct WindowFindings: Sendable, Hashable {
  /// Spans above the threshold, in order: `matrix` is the label, tokens are counted with CLS as 0.
  var spans: [PairCell] = []
  /// Linked spans, as indices of `spans`.
  var links: [LinkHit] = []
  /// Whether there was more than the options let pass.
  var isTruncated = false
}

/// Runs windows through the encoder and the heads.
struct WindowScorer: Sendable {
  /// Links of a window to keep at most, the strongest.
  private static let maximumLinks = 65_536

  let encoder: BertEncoder
  let heads: ModelHeads
  let options: Extractor.Options
  let engine: Engine

  /// Device memory that a window takes while it is scored, in bytes.
  func bytes(forTokens count: Int) -> Int {
    encoder.bytes(forTokens: count) + heads.bytes(forTokens: count)
  }

  /// Encodes a batch once; all heads read from that. Spans come back first, then the links among them alone are asked
  /// for: no head's n × n scores exist.
  func findings(in windows: [[Int32]]) async throws(EngineError) -> [WindowFindings] {
    var submission = Submission()
    let tokens = try DeviceTokens(TokenBatch(windows), on: engine, uploadedBy: &submission)
    let hidden = try encoder.encode(tokens, in: &submission)
    var query = try heads.spans.query(hidden: hidden, tokens, threshold: options.threshold, in: &submission)
    query.limit = max(1, options.maximumSpans)
    var linkQuery: LinkQuery?
    if let links = heads.links {
      linkQuery = LinkQuery(
        head: try links.head.linkScores(hidden: hidden, tokens, in: &submission),
        tail: try links.tail.linkScores(hidden: hidden, tokens, in: &submission), scale: links.head.scale,
        threshold: options.threshold)
    }
    // Real text has a few spans a sentence; a list this long is read back in one go.
    let found = try await engine.find(query, after: submission, capacity: max(256, tokens.count))
    let labels = heads.spans.parameters.types
    var findings = [WindowFindings](repeating: WindowFindings(), count: windows.count)
    for cell in found.cells {
      findings[cell.matrix / labels].spans.append(
        PairCell(matrix: cell.matrix % labels, row: cell.row, column: cell.column, score: cell.score))
    }
    for window in found.truncatedSegments { findings[window].isTruncated = true }
    if let rule = heads.links?.rule, let linkQuery {
      try await addLinks(to: &findings, rule, linkQuery, lengths: windows.map(\.count))
    }
    return findings
  }

  private func addLinks(
    to findings: inout [WindowFindings], _ rule: LinkRule, _ query: LinkQuery, lengths: [Int]
  ) async throws(EngineError) {
    var asked: [(window: Int, pair: LinkRule.Pair)] = []
    var pairs: [LinkPair] = []
    var firstRow = 0
    for (window, length) in lengths.enumerated() {
      let spans = findings[window].spans
      let (wanted, isTruncated) = rule.pairs(among: spans)
      if isTruncated { findings[window].isTruncated = true }
      for pair in wanted {
        let (head, tail) = rule.cells(of: pair, among: spans)
        asked.append((window, pair))
        pairs.append(
          LinkPair(
            head: (firstRow + head.row, firstRow + head.column), tail: (firstRow + tail.row, firstRow + tail.column)))
      }
      firstRow += length
    }
    var result = findings
    try await engine.links(query, among: pairs) { links in
      var touched: Set<Int> = []
      for link in links {
        let (window, pair) = asked[link.pair]
        touched.insert(window)
        result[window].links.append(
          LinkHit(first: pair.first, second: pair.second, predicate: link.predicate, score: link.score))
      }
      for window in touched { result[window].keepStrongestLinks(Self.maximumLinks) }
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
