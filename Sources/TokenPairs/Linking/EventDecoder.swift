/// Turns argument spans and the links between them into events: for each type, the maximal cliques of its nodes. An
/// argument may belong to several events.
///
/// Two nodes are linked iff `head[min(h1, h2), max(h1, h2)]` and `tail[min(t1, t2), max(t1, t2)]` are above the
/// threshold. A link is between spans and knows neither types nor roles: a span that is the winner of one match and the loser of
/// another is linked, in both roles, to the arguments of both, so cliques can hold more than the gold event has.
///
/// An event is as strong as the argument with the lowest score. A document that has more events than `Options` leave room
/// for keeps the strongest.
package struct EventDecoder: Sendable {
  /// What becomes an event, and bounds for models that find everything everywhere. The bounds are for a text of one
  /// window; a text of several has that many times the room.
  package struct Options: Sendable, Hashable {
    /// Drops events without a trigger, of types whose labels name one.
    package var requiresTrigger = true
    /// Drops events that say nothing another event of the type does not; see `withoutSubsets`.
    package var dropsSubsets = false
    /// Nodes of a type to link at most, the strongest.
    package var maximumNodes = 256
    /// Events to keep at most, the strongest.
    package var maximumEvents = 1024
    /// Arguments that these events may have in all: what is written grows with them. Events in which everything is
    /// linked share most of their arguments, and a thousand of those are a hundred thousand arguments.
    package var maximumArguments = 4096
    /// Words of bit sets that the search for cliques may look at: a tenth of a second.
    package var workLimit = 20_000_000

    package init() {}

    /// As these, for a text that was read in several windows.
    fileprivate func scaled(toWindows windows: Int) -> Options {
      var options = self
      options.maximumNodes *= windows
      options.maximumEvents *= windows
      options.maximumArguments *= windows
      options.workLimit *= windows
      return options
    }
  }

  package let schema: EventSchema
  package let options: Options

  package init(schema: EventSchema, options: Options = Options()) {
    self.schema = schema
    self.options = options
  }

  /// Makes events of linked pairs of spans, either index first; pairs of different types link nothing.
  ///
  /// Spans in code points may repeat, when several tokens stand for the same characters: such spans are one node, with the
  /// links of all.
  /// - Parameters:
  ///   - spans: those of a document.
  ///   - links: which of them are linked.
  ///   - texts: what the spans say, if subsets are to be found by it.
  ///   - windows: how many windows the text was read in.
  /// - Returns: events by type, then by their arguments in reading order; and whether a bound was hit, and events or
  ///   arguments may be missing.
  package func decode(
    _ spans: [LabelledSpan], links: some Sequence<SpanLink>, texts: [String]? = nil, windows: Int = 1
  ) -> (events: [DecodedEvent], isTruncated: Bool) {
    precondition(texts == nil || texts?.count == spans.count)
    let limits = options.scaled(toWindows: windows)
    let nodes = EventNodes(spans, schema, limit: limits.maximumNodes)
    var cliques: [[Int]] = []
    var argumentsLeft = limits.maximumArguments
    let search = CliqueSearch(
      of: nodes.graph(links), strongestFirst: nodes.strongestFirst(spans),
      holding: { node in
        !options.requiresTrigger || !schema.hasTrigger(type: nodes.types[node])
          || schema.isTrigger(spans[nodes.kept[node]])
      }, workLimit: limits.workLimit
    ) { clique in
      guard cliques.count < limits.maximumEvents, clique.count <= argumentsLeft else { return false }
      argumentsLeft -= clique.count
      cliques.append(clique)
      return true
    }
    var events = cliques.sorted { $0.lexicographicallyPrecedes($1) }.map { clique in
      DecodedEvent(type: nodes.types[clique[0]], nodes: clique.map { nodes.kept[$0] })
    }
    var isTruncated = nodes.isTruncated || !search.isComplete
    if options.dropsSubsets {
      let (kept, isComplete) = withoutSubsets(events, spans, texts, windows)
      events = kept
      isTruncated = isTruncated || !isComplete
    }
    return (events, isTruncated)
  }

  /// Drops events whose arguments are a subset of another's of the type; of equal ones the first stays.
  ///
  /// Cliques are maximal, so no event's nodes are a subset of another's. What is compared is what an event says: its
  /// arguments as (role, text), the trigger left out, as GPLinker's events for DuEE are submitted. So an event that
  /// is mentioned twice, with two triggers or with a name in two places, is kept once, where it says most.
  ///
  /// An event without a trigger never replaces one that has it: `requiresTrigger` is what leaves those out.
  ///
  /// Each two events of a window can be compared. The events of a long text are compared that many times for each of its
  /// windows at most, not each with all others; those that are left stay.
  /// - Returns: what stays; and whether all were compared.
  private func withoutSubsets(
    _ events: [DecodedEvent], _ spans: [LabelledSpan], _ texts: [String]?, _ windows: Int
  ) -> (kept: [DecodedEvent], isComplete: Bool) {
    var numbers: [Argument: Int] = [:]
    let arguments = events.map { event in
      Set(
        event.nodes.filter { !schema.isTrigger(spans[$0]) }.map { node in
          let argument = Argument(
            type: event.type, role: schema.labels[spans[node].label].role, text: texts?[node],
            range: texts == nil ? spans[node].range : nil)
          let number = numbers[argument] ?? numbers.count
          numbers[argument] = number
          return number
        })
    }
    let haveTrigger = events.map { event in event.nodes.contains { schema.isTrigger(spans[$0]) } }
    // Of events that say the same, the first and the first that has a trigger.
    var firsts: Set<Statement> = []
    let distinct = events.indices.filter { index in
      let (type, said) = (events[index].type, arguments[index])
      if firsts.contains(Statement(type: type, arguments: said, hasTrigger: true)) { return false }
      return firsts.insert(Statement(type: type, arguments: said, hasTrigger: haveTrigger[index])).inserted
    }
    var holders = [[Int]](repeating: [], count: numbers.count)
    var ofType: [Int: [Int]] = [:]
    for event in distinct {
      for argument in arguments[event] { holders[argument].append(event) }
      ofType[events[event].type, default: []].append(event)
    }
    // In arguments that are looked up.
    var comparisonsLeft = options.maximumArguments * options.maximumEvents * windows
    let kept = distinct.filter { index in
      // Only an event that holds the rarest argument can hold them all.
      let rarest = arguments[index].map { holders[$0] }.min { $0.count < $1.count }
      return !(rarest ?? ofType[events[index].type] ?? []).contains { other in
        // Of equal ones none is left that another could replace.
        guard arguments[index].count < arguments[other].count, haveTrigger[other] || !haveTrigger[index],
          comparisonsLeft > 0
        else { return false }
        comparisonsLeft -= max(1, arguments[index].count)
        return arguments[index].isSubset(of: arguments[other])
      }
    }
    return (kept.map { events[$0] }, comparisonsLeft > 0)
  }

  /// What an argument says: its text if that is known, else its place.
  private struct Argument: Hashable {
    let type: Int
    let role: Int
    let text: String?
    let range: Range<Int>?
  }

  /// What an event says.
  private struct Statement: Hashable {
    let type: Int
    let arguments: Set<Int>
    let hasTrigger: Bool
  }
}

/// An event as indices.
package struct DecodedEvent: Sendable, Hashable {
  package let type: Int
  /// Its arguments, trigger included, as indices of spans; in reading order.
  package let nodes: [Int]
}

/// The spans of a document that can be linked, as a graph's vertices: by type, then in reading order.
private struct EventNodes {
  /// Each vertex's span.
  private(set) var kept: [Int] = []
  /// Each vertex's event type.
  private(set) var types: [Int] = []
  /// Whether a type had more spans than are looked at.
  private(set) var isTruncated = false
  /// The vertex that each span is, or is a repeat of; nil for a span that was left out.
  private var vertices: [Int?]

  /// - Parameters:
  ///   - spans: those of a document.
  ///   - schema: what their labels mean.
  ///   - limit: distinct spans of a type to keep at most.
  init(_ spans: [LabelledSpan], _ schema: EventSchema, limit: Int) {
    vertices = [Int?](repeating: nil, count: spans.count)
    let groups = Dictionary(grouping: spans.indices) { schema.labels[spans[$0].label].type }
    for (type, indices) in groups.sorted(by: { $0.key < $1.key }) {
      let candidates = LinkCandidates(indices, of: spans, limit: limit, by: schema.precedes)
      for index in candidates.kept {
        vertices[index] = kept.count
        kept.append(index)
        types.append(type)
      }
      for index in indices { vertices[index] = candidates.representative(of: index).flatMap { vertices[$0] } }
      isTruncated = isTruncated || candidates.isTruncated
    }
  }

  /// The vertices and the links among them, each within a type.
  func graph(_ links: some Sequence<SpanLink>) -> UndirectedGraph {
    UndirectedGraph(
      count: kept.count,
      edges: links.compactMap { link in
        guard let first = vertices[link.first], let second = vertices[link.second], types[first] == types[second]
        else { return nil }
        return (first, second)
      })
  }

  /// The vertices by score; of equal scores the first in reading order.
  func strongestFirst(_ spans: [LabelledSpan]) -> [Int] {
    kept.indices.sorted { a, b in
      let (first, second) = (spans[kept[a]], spans[kept[b]])
      if first.score != second.score { return first.score > second.score }
      if first.range != second.range {
        return (first.range.lowerBound, first.range.upperBound) < (second.range.lowerBound, second.range.upperBound)
      }
      return a < b
    }
  }
}
