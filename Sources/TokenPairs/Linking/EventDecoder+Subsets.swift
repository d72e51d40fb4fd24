extension EventDecoder {
  /// Drops events of one type whose arguments are a subset of another's; of equal ones the first stays.
  ///
  /// Cliques are maximal, so no event's nodes are a subset of another's. What is compared is what an event says: its
  /// arguments as (role, text), the trigger left out, as the events of GPLinker are handed in for DuEE. So one that is
  /// told twice, with two triggers or with a name in two places, is kept once, where it says most.
  ///
  /// An event without a trigger never stands in for one that has it: those are left out elsewhere, if at all.
  func withoutSubsets(_ events: [DecodedEvent], _ nodes: [EventNode], _ texts: [String]?) -> [DecodedEvent] {
    let arguments = events.map { event in
      Set(
        event.nodes.filter { nodes[$0].role != schema.triggerRole }.map { node in
          Argument(role: nodes[node].role, text: texts?[node], span: texts == nil ? nodes[node].span : nil)
        })
    }
    let haveTrigger = events.map { event in event.nodes.contains { nodes[$0].role == schema.triggerRole } }
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
    let span: Range<Int>?
  }
}
