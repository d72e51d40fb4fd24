import Testing

@testable import Engine

/// `BatchPolicy` under thousands of random steps, watched by a ledger of its own.
@Suite struct SchedulerSimulationTests {
  @Test(arguments: 1...24) func promisesHoldInAnyInterleaving(seed: Int) {
    var simulation = PolicySimulation(seed: UInt64(seed))
    simulation.run(steps: 4000)
    let wrong = simulation.promises.broken
    #expect(wrong.isEmpty, "seed \(seed), \(simulation.limits): \(wrong.prefix(3))")
  }

  @Test func aMillionItemsPassThroughAFullWindow() {
    let (items, window) = (1_000_000, 4096)
    var random = SeededGenerator(7)
    var policy = BatchPolicy(limits: .init(tokens: 2048))
    var flying: [BatchPolicy.Batch] = []
    var (submitted, done) = (0, 0)
    while done < items {
      while submitted < items, submitted - done < window {
        policy.submit(.init(id: submitted, tokens: Int.random(in: 3...200, using: &random)))
        submitted += 1
        while let batch = policy.next() { flying.append(batch) }
      }
      if submitted == items { policy.end() }
      while let batch = policy.next(impatient: true) { flying.append(batch) }
      guard !flying.isEmpty else { break }
      let batch = flying.removeFirst()
      done += batch.items.count
      policy.finish(batch)
    }
    #expect(done == items)
    #expect(policy.isIdle)
  }
}

/// A device and a source that act at random, and a record of what the policy owes them.
private struct PolicySimulation {
  let limits: BatchPolicy.Limits
  let promises = Promises()

  private var random: SeededGenerator
  private var policy: BatchPolicy
  private var waiting: [Int: BatchPolicy.Item] = [:]
  private var flying: [BatchPolicy.Batch] = []
  private var submitted = 0
  private var ranOnce: Set<Int> = []
  private var ended = false

  init(seed: UInt64) {
    random = SeededGenerator(seed)
    limits = BatchPolicy.Limits(
      tokens: Int.random(in: 1...300, using: &random),
      batches: Int.random(in: 1...5, using: &random),
      bytes: Bool.random(using: &random) ? .max : Int.random(in: 1...2000, using: &random))
    policy = BatchPolicy(limits: limits)
  }

  mutating func run(steps: Int) {
    for _ in 0..<steps { step() }
    policy.end()
    ended = true
    drain(impatient: false)
    while !flying.isEmpty { finishOne() }
    promises.check(waiting.isEmpty, "\(waiting.count) items were never run")
    promises.check(ranOnce.count == submitted, "\(ranOnce.count) of \(submitted) items ran")
    promises.check(policy.isIdle, "not idle at the end")
  }

  private mutating func step() {
    // Now and then a burst, now and then a long silence in which the device empties.
    switch Int.random(in: 0..<10, using: &random) {
    case 0..<6: submitOne()
    case 6: for _ in 0..<Int.random(in: 1...40, using: &random) { submitOne() }
    case 7: while !flying.isEmpty { finishOne() }
    default: if !flying.isEmpty { finishOne() }
    }
  }

  private mutating func submitOne() {
    let long = Int.random(in: 0..<30, using: &random) == 0
    let item = BatchPolicy.Item(
      id: submitted, tokens: Int.random(in: 1...(long ? 600 : 60), using: &random),
      bytes: Int.random(in: 0...(long ? 4000 : 200), using: &random))
    submitted += 1
    waiting[item.id] = item
    policy.submit(item)
    drain(impatient: Int.random(in: 0..<8, using: &random) == 0)
  }

  private mutating func finishOne() {
    let index = Int.random(in: 0..<flying.count, using: &random)
    policy.finish(flying.remove(at: index))
    drain(impatient: Int.random(in: 0..<8, using: &random) == 0)
  }

  private mutating func drain(impatient: Bool) {
    while let batch = policy.next(impatient: impatient) { accept(batch, impatient: impatient) }
    promises.check(!flying.isEmpty || waiting.isEmpty, "an idle device was left without work")
    if ended || impatient, flying.count < limits.batches, let oldest = waiting.keys.min(),
      let item = waiting[oldest]
    {
      promises.check(item.bytes > limits.bytes - bytesInFlight, "work that fits was held back")
    }
  }

  private var bytesInFlight: Int { flying.reduce(0) { $0 + $1.bytes } }

  private mutating func accept(_ batch: BatchPolicy.Batch, impatient: Bool) {
    let waitingTokens = waiting.values.reduce(0) { $0 + $1.tokens }
    promises.check(!batch.items.isEmpty, "an empty batch")
    promises.check(
      flying.isEmpty || ended || impatient || waitingTokens >= limits.tokens,
      "a busy device was offered \(waitingTokens) of \(limits.tokens) tokens")
    promises.check(
      batch.tokens <= limits.tokens || batch.items.count == 1,
      "\(batch.items.count) items of \(batch.tokens) tokens")
    promises.check(batch.items.contains { $0.id == waiting.keys.min() }, "the oldest item was passed over")
    for item in batch.items {
      promises.check(waiting.removeValue(forKey: item.id) == item, "item \(item.id) was not waiting")
      promises.check(ranOnce.insert(item.id).inserted, "item \(item.id) ran twice")
    }
    flying.append(batch)
    promises.check(flying.count <= limits.batches, "\(flying.count) batches in flight")
    promises.check(
      bytesInFlight <= limits.bytes || (flying.count == 1 && batch.items.count == 1),
      "\(bytesInFlight) bytes in flight")
  }
}

/// Remembers what was not kept.
private final class Promises {
  private(set) var broken: [String] = []

  func check(_ holds: Bool, _ problem: @autoclosure () -> String) {
    if !holds { broken.append(problem()) }
  }
}
