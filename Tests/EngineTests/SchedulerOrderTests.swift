import Testing

@testable import Engine

/// What comes out of `Scheduler`, and in which order, with executors that need no device.
@Suite(.timeLimit(.minutes(15))) struct SchedulerOrderTests {
  typealias Fake = Scheduler<Int, Int>

  static func outcomes(
    _ scheduler: Fake, _ source: CountingSource
  ) async throws -> [Fake.Outcome] {
    var outcomes: [Fake.Outcome] = []
    for try await outcome in scheduler.outcomes(of: source) { outcomes.append(outcome) }
    return outcomes
  }

  @Test(arguments: 1...4) func orderSurvivesRandomDelays(seed: Int) async throws {
    let log = ExecutorLog()
    let scheduler = Fake(
      limits: .init(tokens: 64, batches: 3), window: 100, weigh: { (1 + ($0 * seed) % 40, 0) },
      execute: { items throws(EngineError) in
        log.begin(items)
        // Earlier batches tend to take longer.
        try? await Task.sleep(for: .microseconds(Int.random(in: 0...2000) / log.summary.running))
        log.end(items)
        return items.map { 2 * $0 }
      })
    let outcomes = try await Self.outcomes(scheduler, CountingSource(500))
    #expect(outcomes == (0..<500).map { .success(2 * $0) })
    #expect(log.summary.batches.flatMap { $0 }.sorted() == Array(0..<500))
    #expect(log.summary.mostRunning <= 3)
    for batch in log.summary.batches where batch.count > 1 {
      #expect(batch.reduce(0) { $0 + 1 + ($1 * seed) % 40 } <= 64)
    }
  }

  @Test func bytesInFlightStayUnderTheLimit() async throws {
    let log = ExecutorLog()
    // The first batch stays until a second has joined it, however slow the machine.
    let joined = Gate()
    let scheduler = Fake(
      limits: .init(tokens: 10, batches: 8, bytes: 24 * 100), weigh: { _ in (1, 100) },
      execute: { items throws(EngineError) in
        log.begin(items)
        if log.summary.mostRunning > 1 { joined.open() }
        await joined.wait()
        try? await Task.sleep(for: .milliseconds(1))
        log.end(items)
        return items
      })
    let outcomes = try await Self.outcomes(scheduler, CountingSource(300))
    #expect(outcomes == (0..<300).map { .success($0) })
    #expect(log.summary.mostItemsRunning <= 24)
    #expect(log.summary.mostRunning > 1)
  }

  @Test func anEmptySourceEndsAtOnce() async throws {
    let scheduler = Fake(
      limits: .init(tokens: 8), weigh: { _ in (1, 0) },
      execute: { items throws(EngineError) in items })
    #expect(try await Self.outcomes(scheduler, CountingSource(0)).isEmpty)
  }

  @Test func theEndIsReportedAgainIfAskedAgain() async throws {
    let scheduler = Fake(
      limits: .init(tokens: 8), weigh: { _ in (1, 0) },
      execute: { items throws(EngineError) in items })
    let iterator = scheduler.outcomes(of: CountingSource(1)).makeAsyncIterator()
    #expect(try await iterator.next() == .success(0))
    #expect(try await iterator.next() == nil)
    #expect(try await iterator.next() == nil)
  }

  @Test func eachIterationIsARunOfItsOwn() async throws {
    let scheduler = Fake(
      limits: .init(tokens: 8), weigh: { _ in (1, 0) },
      execute: { items throws(EngineError) in items.map { -$0 } })
    let outcomes = scheduler.outcomes(of: CountingSource(20))
    for _ in 0..<2 {
      var results: [Int] = []
      for try await outcome in outcomes { results.append(try outcome.get()) }
      #expect(results == (0..<20).map { -$0 })
    }
  }

  @Test(arguments: [1, 2, 3]) func aWindowSmallerThanABatchDoesNotBlock(window: Int) async throws {
    let scheduler = Fake(
      limits: .init(tokens: 1000), window: window, weigh: { _ in (1, 0) },
      execute: { items throws(EngineError) in
        await Task.yield()
        return items
      })
    let outcomes = try await Self.outcomes(scheduler, CountingSource(200))
    #expect(outcomes == (0..<200).map { .success($0) })
  }

  @Test func itemsWithoutTokensCountAsOne() async throws {
    let log = ExecutorLog()
    let scheduler = Fake(
      limits: .init(tokens: 4), weigh: { _ in (0, 0) },
      execute: { items throws(EngineError) in
        log.begin(items)
        log.end(items)
        return items
      })
    let outcomes = try await Self.outcomes(scheduler, CountingSource(50))
    #expect(outcomes == (0..<50).map { .success($0) })
    #expect(log.summary.batches.allSatisfy { $0.count <= 4 })
  }

  @Test func tenThousandItemsComeInOrder() async throws {
    let scheduler = Fake(
      limits: .init(tokens: 2048), weigh: { (1 + $0 % 60, 0) },
      execute: { items throws(EngineError) in items })
    var count = 0
    for try await outcome in scheduler.outcomes(of: CountingSource(10_000)) {
      #expect(outcome == .success(count))
      count += 1
    }
    #expect(count == 10_000)
  }
}
