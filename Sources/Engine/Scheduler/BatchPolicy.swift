internal import DequeModule

/// Decides which items run together and when: batches of similar length under a token budget, at most
/// `batchLimit` in flight within `byteLimit` of device memory.
///
/// Work-conserving: an idle device takes whatever is there; a busy one is offered full batches only, until the source
/// ends. A pure value: it never waits or calls a device, so every policy is a unit test. The scheduler's actor holds one
/// and carries out what it answers.
package struct BatchPolicy: Sendable {
  package struct Limits: Sendable, Hashable {
    /// Tokens in a batch; one longer item runs alone.
    package var tokens: Int
    /// Batches in flight.
    package var batches: Int
    /// Device memory of the batches in flight, in bytes.
    package var bytes: Int

    package init(tokens: Int, batches: Int = 2, bytes: Int = .max) {
      precondition(tokens > 0 && batches > 0 && bytes > 0)
      self.tokens = tokens
      self.batches = batches
      self.bytes = bytes
    }
  }

  package struct Item: Sendable, Hashable {
    package let id: Int
    package let tokens: Int
    package let bytes: Int

    package init(id: Int, tokens: Int, bytes: Int = 0) {
      self.id = id
      self.tokens = tokens
      self.bytes = bytes
    }
  }

  package struct Batch: Sendable, Hashable {
    package let number: Int
    package let items: [Item]
    package var tokens: Int { items.reduce(0) { $0 + $1.tokens } }
    package var bytes: Int { items.reduce(0) { $0 + $1.bytes } }
  }

  package let limits: Limits
  /// Waiting items by the power of two their length lies under, each bucket first come first served.
  private var buckets: [Int: Deque<Item>] = [:]
  private var waitingTokens = 0
  private var running: [Int: Int] = [:]
  private var bytesInFlight = 0
  private var batchCount = 0
  private var sourceEnded = false

  package init(limits: Limits) {
    self.limits = limits
  }

  package var isIdle: Bool { running.isEmpty && waitingTokens == 0 }

  /// An item has come in.
  package mutating func submit(_ item: Item) {
    precondition(item.tokens > 0)
    buckets[Self.bucket(item.tokens), default: []].append(item)
    waitingTokens += item.tokens
  }

  /// No more items will come.
  package mutating func end() { sourceEnded = true }

  /// Call when the device has finished with a batch, not when the caller stopped caring: until then its memory is in use.
  package mutating func finish(_ batch: Batch) {
    guard let bytes = running.removeValue(forKey: batch.number) else { return }
    bytesInFlight -= bytes
  }

  /// The next batch to run now, if any: ask again until there is none. With `impatient`, items that can come no
  /// closer to a full batch are not kept waiting for one.
  package mutating func next(impatient: Bool = false) -> Batch? {
    guard waitingTokens > 0, running.count < limits.batches else { return nil }
    let full = waitingTokens >= limits.tokens
    guard full || sourceEnded || impatient || running.isEmpty else { return nil }
    guard let items = gather() else { return nil }
    batchCount += 1
    let batch = Batch(number: batchCount, items: items)
    for item in items { remove(item) }
    running[batch.number] = batch.bytes
    bytesInFlight += batch.bytes
    return batch
  }

  /// The oldest item, then the oldest of its own bucket, then of the nearest buckets, while they fit.
  private func gather() -> [Item]? {
    guard let oldest = buckets.values.compactMap(\.first).min(by: { $0.id < $1.id }) else { return nil }
    // An empty device runs anything: whether it is too large is for the device to say.
    guard running.isEmpty || oldest.bytes <= limits.bytes - bytesInFlight else { return nil }
    let home = Self.bucket(oldest.tokens)
    var items = [oldest]
    var tokens = oldest.tokens
    var bytes = oldest.bytes
    let order = buckets.keys.sorted { (abs($0 - home), $0) < (abs($1 - home), $1) }
    for key in order {
      for item in buckets[key] ?? [] where item.id != oldest.id {
        guard tokens + item.tokens <= limits.tokens, bytes + item.bytes <= limits.bytes - bytesInFlight else { break }
        items.append(item)
        tokens += item.tokens
        bytes += item.bytes
      }
    }
    return items
  }

  private mutating func remove(_ item: Item) {
    let key = Self.bucket(item.tokens)
    // Batches take from the front of each bucket, so this is the first element.
    guard let at = buckets[key]?.firstIndex(of: item) else { return }
    buckets[key]?.remove(at: at)
    if buckets[key]?.isEmpty == true { buckets[key] = nil }
    waitingTokens -= item.tokens
  }

  private static func bucket(_ tokens: Int) -> Int { Int.bitWidth - tokens.leadingZeroBitCount }
}

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
