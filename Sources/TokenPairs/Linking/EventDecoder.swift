/// Turns argument spans and the links between them into events: for each type, the maximal cliques of its nodes. An
/// argument may belong to several events.
///
/// Two nodes are linked iff `head[min(h1, h2), max(h1, h2)]` and `tail[min(t1, t2), max(t1, t2)]` are above the
/// threshold. A link knows spans alone, neither types nor roles: a span that is the winner of one match and the loser of
/// another is linked, in both roles, to the arguments of both, and the cliques hold more than was meant.
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

  /// A document's events.
  package struct Result: Sendable, Hashable {
    /// By type, then by their arguments in reading order.
    package let events: [DecodedEvent]
    /// Whether a bound was hit, and events or arguments may be missing.
    package let isTruncated: Bool
  }

  package let schema: EventSchema
  package let options: Options

  package init(schema: EventSchema, options: Options = Options()) {
    self.schema = schema
    self.options = options
  }

  /// Makes events of linked pairs of nodes, either index first; pairs of different types link nothing.
  ///
  /// Spans in code points may repeat, when several tokens stand for the same characters: such nodes are one, with the
  /// links of all.
  package func decode(_ nodes: [EventNode], hits: some Sequence<LinkHit>, texts: [String]? = nil) -> Result {
    precondition(texts == nil || texts?.count == nodes.count)
    let hits = Dictionary(grouping: hits) { nodes[$0.first].type }
    let groups = candidates(nodes)
    var events: [DecodedEvent] = []
    var isTruncated = false
    var (workLeft, cliquesLeft) = (max(0, options.workLimit), max(0, options.maximumEvents))
    for (index, (type, candidates)) in groups.enumerated() {
      let graph = LinkGraph(candidates, hits[type] ?? [])
      // Each type gets its share and what others left: one that is all links does not take the work of the rest.
      let typesLeft = groups.count - index
      let search = graph.cliques(workLimit: workLeft / typesLeft, cliqueLimit: cliquesLeft / typesLeft)
      workLeft -= search.work
      cliquesLeft -= search.cliques.count
      isTruncated = isTruncated || candidates.isTruncated || !search.isComplete
      var found = search.cliques.map { DecodedEvent(type: type, nodes: $0.map { candidates.kept[$0] }) }
      if options.requiresTrigger, schema.hasTrigger(type: type) {
        found.removeAll { !$0.nodes.contains { nodes[$0].role == schema.triggerRole } }
      }
      if options.dropsSubsets { found = withoutSubsets(found, nodes, texts) }
      events += found
    }
    return Result(events: events, isTruncated: isTruncated)
  }

  /// The nodes that take part, type by type, ascending.
  private func candidates(_ nodes: [EventNode]) -> [(type: Int, LinkCandidates)] {
    Dictionary(grouping: nodes.indices) { nodes[$0].type }.sorted { $0.key < $1.key }.map { type, indices in
      let candidates = LinkCandidates(
        indices, place: { nodes[$0].place }, precedes: EventNode.Place.precedes, score: { nodes[$0].score },
        limit: options.maximumNodes)
      return (type, candidates)
    }
  }
}
