/// Turns argument spans and the links between them into events: for each type, the maximal cliques of its nodes. An
/// argument may belong to several events.
///
/// Two nodes are linked iff `head[min(h1, h2), max(h1, h2)]` and `tail[min(t1, t2), max(t1, t2)]` are above the
/// threshold. A link is between spans and knows neither types nor roles: a span that is the winner of one match and the loser of
/// another is linked, in both roles, to the arguments of both, so cliques can hold more than the gold event has.
package struct EventDecoder: Sendable {
  /// What becomes an event, and bounds for models that find everything everywhere.
  package struct Options: Sendable, Hashable {
    /// Drops events without a trigger, of types whose labels name one.
    package var requiresTrigger = true
    /// Drops events that say nothing another event of the type does not; see `withoutSubsets`.
    package var dropsSubsets = false
    /// Nodes of a type to link at most, the strongest.
    package var maximumNodes = 256
    /// Cliques of a document to look at at most.
    package var maximumEvents = 1024
    /// Words of bit sets that a document's clique searches may touch at most: a fraction of a second.
    package var workLimit = 100_000_000

    package init() {}

    /// As these, for a text that was read in several windows: it has room for that many times as much. The nodes of a
    /// type stay within what a search can hold.
    package func scaled(toWindows windows: Int) -> Options {
      var options = self
      options.maximumNodes = min(maximumNodes * windows, max(maximumNodes, 8192))
      options.maximumEvents *= windows
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
  /// - Returns: events by type, then by their arguments in reading order; and whether a bound was hit, and events or
  ///   arguments may be missing.
  package func decode(
    _ spans: [LabelledSpan], links: some Sequence<SpanLink>, texts: [String]? = nil
  ) -> (events: [DecodedEvent], isTruncated: Bool) {
    precondition(texts == nil || texts?.count == spans.count)
    func type(_ span: Int) -> Int { schema.labels[spans[span].label].type }
    let links = Dictionary(grouping: links) { type($0.first) }
    let nodes = Dictionary(grouping: spans.indices, by: type).sorted { $0.key < $1.key }
    var events: [DecodedEvent] = []
    var isTruncated = false
    var (workLeft, cliquesLeft) = (max(0, options.workLimit), max(0, options.maximumEvents))
    for (index, (type, indices)) in nodes.enumerated() {
      let candidates = LinkCandidates(indices, of: spans, limit: options.maximumNodes, by: schema.precedes)
      let graph = LinkGraph(candidates, links[type] ?? [])
      // Each type gets its share and what others left: one that is all links does not take the work of the rest.
      let typesLeft = nodes.count - index
      let search = graph.cliques(workLimit: workLeft / typesLeft, cliqueLimit: cliquesLeft / typesLeft)
      workLeft -= search.work
      cliquesLeft -= search.cliques.count
      isTruncated = isTruncated || candidates.isTruncated || !search.isComplete
      var found = search.cliques.map { DecodedEvent(type: type, nodes: $0.map { candidates.kept[$0] }) }
      if options.requiresTrigger, schema.hasTrigger(type: type) {
        found.removeAll { !$0.nodes.contains { schema.isTrigger(spans[$0]) } }
      }
      if options.dropsSubsets { found = withoutSubsets(found, spans, texts) }
      events += found
    }
    return (events, isTruncated)
  }

  /// Drops events of one type whose arguments are a subset of another's; of equal ones the first stays.
  ///
  /// Cliques are maximal, so no event's nodes are a subset of another's. What is compared is what an event says: its
  /// arguments as (role, text), the trigger left out, as GPLinker's events for DuEE are submitted. So an event that
  /// is mentioned twice, with two triggers or with a name in two places, is kept once, where it says most.
  ///
  /// An event without a trigger never replaces one that has it: `requiresTrigger` is what leaves those out.
  private func withoutSubsets(
    _ events: [DecodedEvent], _ spans: [LabelledSpan], _ texts: [String]?
  ) -> [DecodedEvent] {
    let arguments = events.map { event in
      Set(
        event.nodes.filter { !schema.isTrigger(spans[$0]) }.map { node in
          Argument(
            role: schema.labels[spans[node].label].role, text: texts?[node],
            range: texts == nil ? spans[node].range : nil)
        })
    }
    let haveTrigger = events.map { event in event.nodes.contains { schema.isTrigger(spans[$0]) } }
    var holders: [Argument: [Int]] = [:]
    for (event, arguments) in arguments.enumerated() {
      for argument in arguments { holders[argument, default: []].append(event) }
    }
    return events.indices.filter { index in
      // Only an event that holds the rarest argument can hold them all.
      let rarest = arguments[index].compactMap { holders[$0] }.min { $0.count < $1.count }
      return !(rarest ?? Array(events.indices)).contains { other in
        let isProper = arguments[index].count < arguments[other].count
        return other != index && (isProper || other < index) && (haveTrigger[other] || !haveTrigger[index])
          && arguments[index].isSubset(of: arguments[other])
      }
    }.map { events[$0] }
  }

  /// What an argument says: its text if that is known, else its place.
  private struct Argument: Hashable {
    let role: Int
    let text: String?
    let range: Range<Int>?
  }
}

/// An event as indices.
package struct DecodedEvent: Sendable, Hashable {
  package let type: Int
  /// Its arguments, trigger included, as indices of spans; in reading order.
  package let nodes: [Int]
}

/// The nodes of one event type and the links among them, in the parts that hang together: a long text is many small
/// graphs, and a search pays for the size of each alone.
private struct LinkGraph {
  private let count: Int
  /// Linked vertices, the lower first.
  private var edges: [(Int, Int)] = []

  /// - Parameters:
  ///   - candidates: the vertices, in reading order: cliques then come in that order.
  ///   - links: linked spans, by their indices in the list of spans.
  init(_ candidates: LinkCandidates, _ links: [SpanLink]) {
    count = candidates.kept.count
    let vertices = Dictionary(uniqueKeysWithValues: zip(candidates.kept, candidates.kept.indices))
    for link in links {
      guard let first = candidates.representative(of: link.first).flatMap({ vertices[$0] }),
        let second = candidates.representative(of: link.second).flatMap({ vertices[$0] }), first != second
      else { continue }
      edges.append((min(first, second), max(first, second)))
    }
  }

  /// Finds the maximal cliques.
  /// - Parameters:
  ///   - workLimit: words of bit sets to touch at most, all parts together.
  ///   - cliqueLimit: cliques to keep at most.
  /// - Returns: the cliques as vertices, in lexicographic order; whether these are all; and the words touched.
  func cliques(workLimit: Int, cliqueLimit: Int) -> (cliques: [[Int]], isComplete: Bool, work: Int) {
    var found: [[Int]] = []
    var isComplete = true
    var workLeft = workLimit
    let parts = parts
    for (index, part) in parts.enumerated() {
      // A step costs up to a row of bits for each vertex; each part gets its share, and what others left.
      let stepCost = max(1, part.vertices.count * part.vertices.count / 64)
      let partsLeft = parts.count - index
      let search = MaximalCliques(
        of: part.graph, stepLimit: workLeft / stepCost / partsLeft, cliqueLimit: (cliqueLimit - found.count) / partsLeft
      )
      workLeft -= search.steps * stepCost
      found += search.cliques.map { $0.map { part.vertices[$0] } }
      isComplete = isComplete && search.isComplete
    }
    return (found.sorted { $0.lexicographicallyPrecedes($1) }, isComplete, workLimit - workLeft)
  }

  /// The connected parts, by their first vertex; a vertex without links is one.
  private var parts: [(vertices: [Int], graph: UndirectedGraph)] {
    var parents = Array(0..<count)
    func root(_ vertex: Int) -> Int {
      var root = vertex
      while parents[root] != root {
        parents[root] = parents[parents[root]]
        root = parents[root]
      }
      return root
    }
    for (a, b) in edges {
      let (first, second) = (root(a), root(b))
      parents[max(first, second)] = min(first, second)
    }
    var members: [Int: [Int]] = [:]
    for vertex in 0..<count { members[root(vertex), default: []].append(vertex) }
    var places = [Int](repeating: 0, count: count)
    for vertices in members.values {
      for (place, vertex) in vertices.enumerated() { places[vertex] = place }
    }
    var graphs = members.mapValues { UndirectedGraph(count: $0.count) }
    for (a, b) in edges { graphs[root(a)]?.link(places[a], places[b]) }
    return members.sorted { $0.key < $1.key }.compactMap { key, vertices in
      graphs[key].map { (vertices, $0) }
    }
  }
}
