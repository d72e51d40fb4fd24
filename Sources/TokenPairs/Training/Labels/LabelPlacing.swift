/// The labels of one text on their way to its windows.
struct LabelPlacing {
  /// A labelled span in content tokens of the text.
  struct Span: Hashable {
    let label: Int
    let first: Int
    let last: Int
  }

  /// A window's cells so far, each once.
  struct Window {
    let range: Range<Int>
    private var spans: Set<PairLabel> = []
    private var head: Set<PairLabel> = []
    private var tail: Set<PairLabel> = []

    init(range: Range<Int>) { self.range = range }

    func holds(_ span: Span) -> Bool { range.contains(span.first) && range.contains(span.last) }

    mutating func add(_ span: Span) { spans.insert(cell(span.label, span.first, span.last)) }

    mutating func addLink(_ link: Int, heads: LinkCell, tails: LinkCell) {
      head.insert(cell(link, heads.row, heads.column))
      tail.insert(cell(link, tails.row, tails.column))
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
  /// What became of a span that was asked for before.
  private var known: [SpanKey: Span?] = [:]
  /// The text's windows, in their order.
  private(set) var windows: [Window]
  /// What became of the labels of this text and those before it.
  private(set) var report: AlignmentReport

  private struct SpanKey: Hashable {
    let label: Int
    let range: Range<Int>
  }

  init(_ text: TokenizedText, _ inventory: LabelInventory, _ report: AlignmentReport) {
    self.inventory = inventory
    self.report = report
    length = text.text.unicodeScalars.count
    windows = text.plan.windows.map(Window.init)
    // Several tokens can stand for the same characters: a span takes all of them.
    for (token, place) in text.offsets.enumerated() {
      if firstTokens[place.lowerBound] == nil { firstTokens[place.lowerBound] = token }
      lastTokens[place.upperBound] = token
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
    var linked: Set<[SpanKey]> = []
    for event in events {
      var nodes: [(key: SpanKey, span: Span?)] = []
      for argument in event.arguments {
        let name = "\(event.type)/\(argument.role)"
        let label = inventory.label(name)
        let span = span(label, argument.range, named: name)
        guard let label else { continue }
        let key = SpanKey(label: label, range: argument.range)
        if !nodes.contains(where: { $0.key == key }) { nodes.append((key, span)) }
      }
      for (index, first) in nodes.enumerated() {
        for second in nodes[(index + 1)...] {
          let pair = [first.key, second.key].sorted {
            ($0.label, $0.range.lowerBound, $0.range.upperBound) < ($1.label, $1.range.lowerBound, $1.range.upperBound)
          }
          if linked.insert(pair).inserted { addLink(0, first.span, second.span, .symmetric) }
        }
      }
    }
  }

  /// Places a span in all windows that hold it.
  /// - Returns: the span in tokens; nil if it has no place, for a reason that is counted once.
  private mutating func span(_ label: Int?, _ range: Range<Int>, named name: String) -> Span? {
    guard let label else {
      report.unknownNames[name, default: 0] += 1
      return nil
    }
    let key = SpanKey(label: label, range: range)
    if let span = known[key] { return span }
    let span = newSpan(label, range)
    known[key] = .some(span)
    return span
  }

  private mutating func newSpan(_ label: Int, _ range: Range<Int>) -> Span? {
    report.spans += 1
    guard range.lowerBound >= 0, !range.isEmpty, range.upperBound <= length else {
      report.spansOutside += 1
      return nil
    }
    guard let first = firstTokens[range.lowerBound], let last = lastTokens[range.upperBound], first <= last else {
      report.spansAcrossTokens += 1
      return nil
    }
    let span = Span(label: label, first: first, last: last)
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
  private mutating func addLink(_ link: Int, _ first: Span?, _ second: Span?, _ direction: LinkDirection) {
    report.links += 1
    guard let first, let second else { return }
    let (a, b) = (first.first..<first.last + 1, second.first..<second.last + 1)
    let holders = windows.indices.filter { windows[$0].holds(first) && windows[$0].holds(second) }
    for window in holders {
      windows[window].addLink(link, heads: .head(a, b, direction), tails: .tail(a, b, direction))
    }
    if holders.isEmpty { report.linksApart += 1 } else { report.placedLinks += 1 }
  }
}
