internal import DequeModule

/// Hands out results in the order in which their items came in, whatever order they are finished in.
struct Reorder<Output: Sendable>: Sendable {
  private var slots: Deque<Output?> = []
  private var firstID = 0

  /// Items that have come in and not yet been handed out.
  var outstanding: Int { slots.count }

  /// Makes a place for the next item.
  /// - Returns: the item's number.
  mutating func open() -> Int {
    slots.append(nil)
    return firstID + slots.count - 1
  }

  mutating func fill(_ id: Int, with output: Output) {
    let at = id - firstID
    guard slots.indices.contains(at) else { return }
    slots[at] = output
  }

  /// The next result in order, if it is there.
  mutating func next() -> Output? {
    guard let first = slots.first, let output = first else { return nil }
    slots.removeFirst()
    firstID += 1
    return output
  }
}
