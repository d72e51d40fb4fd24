extension EventDecoder {
  /// Drops events of one type whose arguments are a subset of another's; of equal ones the first stays.
  ///
  /// Cliques are maximal, so no event's nodes are a subset of another's. What is compared is what an event says: its
  /// arguments as (role, text), the trigger left out, as the events of GPLinker are handed in for DuEE. So one that is
  /// told twice, with two triggers or with a name in two places, is kept once, where it says most.
  func withoutSubsets(_ events: [DecodedEvent], _ nodes: [EventNode], _ texts: [String]?) -> [DecodedEvent] {
    let arguments = events.map { event in
      Set(
        event.nodes.filter { nodes[$0].role != schema.triggerRole }.map { node in
          Argument(role: nodes[node].role, text: texts?[node], span: texts == nil ? nodes[node].span : nil)
        })
    }
    return events.indices.filter { index in
      !events.indices.contains { other in
        let isProper = arguments[index].count < arguments[other].count
        return other != index && (isProper || other < index) && arguments[index].isSubset(of: arguments[other])
      }
    }.map { events[$0] }
  }

  /// What an argument says: its text if that is known, else its place.
  private struct Argument: Hashable {
    let role: Int
    let text: String?
    let span: Range<Int>?
  }
}
