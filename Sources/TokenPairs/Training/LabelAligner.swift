/// The label of one cell of a head's scores.
package struct PairLabel: Sendable, Hashable {
  /// The score matrix: a label's index, or a link's.
  package var type: Int
  /// The cell's row among the window's tokens, CLS being 0.
  package var row: Int
  /// The cell's column, counted in the same way.
  package var column: Int
  /// How true it is, from 0 to 1; 1 for what is known.
  package var value: Float

  package init(type: Int, row: Int, column: Int, value: Float = 1) {
    self.type = type
    self.row = row
    self.column = column
    self.value = value
  }

  /// Orders labels by their cells: type, row, column.
  package static func precedes(_ a: PairLabel, _ b: PairLabel) -> Bool {
    (a.type, a.row, a.column) < (b.type, b.row, b.column)
  }
}

/// What is true of a window, for each head of a model: each cell once, in the order of the cells.
package struct WindowLabels: Sendable, Hashable {
  /// A type a label, a row a span's first token, a column its last.
  package var spans: [PairLabel]
  /// A type a link: the first tokens of two linked spans. Empty for entities.
  package var head: [PairLabel]
  /// A type a link: the last tokens of two linked spans. Empty for entities.
  package var tail: [PairLabel]

  package init(spans: [PairLabel] = [], head: [PairLabel] = [], tail: [PairLabel] = []) {
    self.spans = spans
    self.head = head
    self.tail = tail
  }

  /// The lists in the order of a model's heads: spans, then head and tail links where there are such heads.
  package func lists(links: Bool) -> [[PairLabel]] { links ? [spans, head, tail] : [spans] }
}

/// A window of a text and what is true of it.
package struct LabelledWindow: Sendable, Hashable {
  /// Token ids, framed by CLS and SEP.
  package let ids: [Int32]
  package let labels: WindowLabels
  /// The text's number among the documents.
  package let document: Int

  package init(ids: [Int32], labels: WindowLabels, document: Int) {
    self.ids = ids
    self.labels = labels
    self.document = document
  }
}

/// Brings the labels of texts to the cells of token-pair scores.
///
/// A long text is cut into the same overlapping windows as in extraction, and a label belongs to every window that holds
/// it whole. A label that has no tokens of its own is counted and left out.
package struct LabelAligner: Sendable {
  private let reader: WindowReader
  private let inventory: LabelInventory

  init(reader: WindowReader, inventory: LabelInventory) {
    self.reader = reader
    self.inventory = inventory
  }

  /// The windows of all texts, in the order of the texts, and what became of the labels.
  package func windows(
    of documents: [TrainingDocument]
  ) -> (windows: [LabelledWindow], report: AlignmentReport) {
    var windows: [LabelledWindow] = []
    var report = AlignmentReport()
    for (index, document) in documents.enumerated() {
      windows += self.windows(of: document, index: index, &report)
    }
    return (windows, report)
  }

  /// The windows of one text.
  private func windows(
    of document: TrainingDocument, index: Int, _ report: inout AlignmentReport
  ) -> [LabelledWindow] {
    let text = reader.read(document.text)
    var placing = LabelPlacing(text, inventory, report)
    placing.add(document)
    report = placing.report
    return zip(text.windows, placing.windows).map { LabelledWindow(ids: $0, labels: $1.labels, document: index) }
  }
}

/// The labels of one text on their way to its windows.
private struct LabelPlacing {
  /// A window's cells so far, each once. Spans and cells count content tokens of the text.
  struct Window {
    let range: Range<Int>
    private var spans: Set<PairLabel> = []
    private var head: Set<PairLabel> = []
    private var tail: Set<PairLabel> = []

    init(range: Range<Int>) { self.range = range }

    func holds(_ span: LabelledSpan) -> Bool {
      range.lowerBound <= span.range.lowerBound && span.range.upperBound <= range.upperBound
    }

    mutating func add(_ span: LabelledSpan) {
      spans.insert(cell(span.label, span.range.lowerBound, span.range.upperBound - 1))
    }

    mutating func addLink(_ link: Int, _ first: LabelledSpan, _ second: LabelledSpan, _ direction: LinkDirection) {
      let cells = direction.cells(first.range, second.range)
      head.insert(cell(link, cells.head.row, cells.head.column))
      tail.insert(cell(link, cells.tail.row, cells.tail.column))
    }

    /// CLS takes the first place of a window.
    private func cell(_ type: Int, _ row: Int, _ column: Int) -> PairLabel {
      PairLabel(type: type, row: row - range.lowerBound + 1, column: column - range.lowerBound + 1)
    }

    var labels: WindowLabels {
      WindowLabels(
        spans: spans.sorted(by: PairLabel.precedes), head: head.sorted(by: PairLabel.precedes),
        tail: tail.sorted(by: PairLabel.precedes))
    }
  }

  private let inventory: LabelInventory
  private let length: Int
  private var firstTokens: [Int: Int] = [:]
  private var lastTokens: [Int: Int] = [:]
  /// What became of a span that was asked for before: from code points to content tokens.
  private var known: [LabelledSpan: LabelledSpan?] = [:]
  /// The text's windows, in their order.
  private(set) var windows: [Window]
  /// What became of the labels of this text and those before it.
  private(set) var report: AlignmentReport

  init(_ text: TokenizedText, _ inventory: LabelInventory, _ report: AlignmentReport) {
    self.inventory = inventory
    self.report = report
    length = text.text.unicodeScalars.count
    windows = text.plan.windows.map(Window.init)
    // Several tokens can stand for the same characters: a span takes all of them.
    for (token, range) in text.offsets.enumerated() {
      if firstTokens[range.lowerBound] == nil { firstTokens[range.lowerBound] = token }
      lastTokens[range.upperBound] = token
    }
    self.report.documents += 1
    self.report.windows += windows.count
    self.report.tokens += text.windows.reduce(0) { $0 + $1.count }
  }

  mutating func add(_ document: TrainingDocument) {
    report.spans += document.unusableLabels
    report.unusableLabels += document.unusableLabels
    switch document.gold {
    case .entities(let entities):
      for entity in entities { _ = span(inventory.label(entity.label), entity.range, named: entity.label) }
    case .relations(let relations):
      for relation in relations {
        let subject = span(0, relation.subject, named: relation.predicate)
        let object = span(1, relation.object, named: relation.predicate)
        guard let link = inventory.link(relation.predicate) else {
          report.unknownNames[relation.predicate, default: 0] += 1
          continue
        }
        addLink(link, subject, object, .directed)
      }
    case .events(let events): addEvents(events)
    }
  }

  /// Links each two different arguments of an event. Two events may share such a pair.
  private mutating func addEvents(_ events: [EventKey]) {
    var linked: Set<[LabelledSpan]> = []
    for event in events {
      var nodes: [(gold: LabelledSpan, tokens: LabelledSpan?)] = []
      for argument in event.arguments {
        let name = "\(event.type)/\(argument.role)"
        let label = inventory.label(name)
        let tokens = span(label, argument.range, named: name)
        guard let label else { continue }
        let gold = LabelledSpan(label: label, range: argument.range, score: 1)
        if !nodes.contains(where: { $0.gold == gold }) { nodes.append((gold, tokens)) }
      }
      for (index, first) in nodes.enumerated() {
        for second in nodes[(index + 1)...] {
          let pair = [first.gold, second.gold].sorted(by: LabelledSpan.precedes)
          if linked.insert(pair).inserted { addLink(0, first.tokens, second.tokens, .symmetric) }
        }
      }
    }
  }

  /// Places a span in all windows that hold it.
  /// - Returns: the span in tokens; nil if it has no place, for a reason that is counted once.
  private mutating func span(_ label: Int?, _ range: Range<Int>, named name: String) -> LabelledSpan? {
    guard let label else {
      report.unknownNames[name, default: 0] += 1
      return nil
    }
    let gold = LabelledSpan(label: label, range: range, score: 1)
    if let span = known[gold] { return span }
    let span = place(gold)
    known[gold] = .some(span)
    return span
  }

  private mutating func place(_ gold: LabelledSpan) -> LabelledSpan? {
    let range = gold.range
    report.spans += 1
    guard range.lowerBound >= 0, !range.isEmpty, range.upperBound <= length else {
      report.spansOutside += 1
      return nil
    }
    guard let first = firstTokens[range.lowerBound], let last = lastTokens[range.upperBound], first <= last else {
      report.spansAcrossTokens += 1
      return nil
    }
    let span = LabelledSpan(label: gold.label, range: first..<last + 1, score: 1)
    let holders = windows.indices.filter { windows[$0].holds(span) }
    guard !holders.isEmpty else {
      report.spansCut += 1
      return nil
    }
    for window in holders { windows[window].add(span) }
    report.placedSpans += 1
    return span
  }

  /// Links two spans in all windows that hold both.
  private mutating func addLink(
    _ link: Int, _ first: LabelledSpan?, _ second: LabelledSpan?, _ direction: LinkDirection
  ) {
    report.links += 1
    guard let first, let second else { return }
    let holders = windows.indices.filter { windows[$0].holds(first) && windows[$0].holds(second) }
    for window in holders { windows[window].addLink(link, first, second, direction) }
    if holders.isEmpty { report.linksApart += 1 } else { report.placedLinks += 1 }
  }
}
