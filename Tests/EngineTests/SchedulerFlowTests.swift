import Testing

@testable import Engine

/// How far `Scheduler` reads ahead, and how it ends when nobody wants more.
@Suite(.timeLimit(.minutes(15))) struct SchedulerFlowTests {
  typealias Fake = Scheduler<Int, Int>

  private func plain(window: Int, tokens: Int = 8) -> Fake {
    Fake(
      limits: .init(tokens: tokens), window: window, weigh: { _ in (1, 0) },
      execute: { items throws(EngineError) in items })
  }

  @Test(arguments: [1, 5, 64]) func readingAheadIsBoundedByTheWindow(window: Int) async throws {
    let source = CountingSource()
    let iterator = plain(window: window).outcomes(of: source).makeAsyncIterator()
    for delivered in 1...20 {
      #expect(try await iterator.next() == .success(delivered - 1))
      // The window itself, and one item in the reader's hand.
      let most = delivered + window + 1
      #expect(try await eventually { source.taken == most })
      try await Task.sleep(for: .milliseconds(2))
      #expect(source.taken == most)
    }
  }

  @Test func aStalledDeviceStopsTheReader() async throws {
    let gate = Gate()
    let source = CountingSource(100)
    let scheduler = Fake(
      limits: .init(tokens: 4, batches: 2), window: 10, weigh: { _ in (1, 0) },
      execute: { items throws(EngineError) in
        await gate.wait()
        return items
      })
    let results = Task { try await SchedulerOrderTests.outcomes(scheduler, source) }
    #expect(try await eventually { source.taken == 11 })
    try await Task.sleep(for: .milliseconds(20))
    #expect(source.taken == 11)
    gate.open()
    #expect(try await results.value == (0..<100).map { .success($0) })
  }

  @Test func aConsumerThatStopsEndsTheReading() async throws {
    let source = CountingSource()
    let scheduler = plain(window: 16)
    for try await outcome in scheduler.outcomes(of: source) where try outcome.get() == 5 { break }
    #expect(try await eventually { source.iterators == 0 }, "the reader lives on")
    let taken = source.taken
    #expect(taken <= 6 + 16 + 1)
    try await Task.sleep(for: .milliseconds(20))
    #expect(source.taken == taken)
  }

  @Test func aConsumerThatStopsLetsTheRunGo() async throws {
    weak var run: ScheduledRun<Int, Int>?
    do {
      let scheduler = plain(window: 16)
      let strong = ScheduledRun(scheduler)
      run = strong
      for item in 0..<8 { #expect(await strong.submit(item)) }
      await strong.abandon()
      #expect(await strong.submit(8) == false)
      await #expect(throws: CancellationError.self) { _ = try await strong.next() }
    }
    #expect(try await eventually { run == nil }, "something still holds the run")
  }

  @Test func aConsumerThatNeverStartsReadsNoMoreThanAWindow() async throws {
    let source = CountingSource()
    do { _ = plain(window: 4).outcomes(of: source).makeAsyncIterator() }
    #expect(try await eventually { source.iterators == 0 })
    #expect(source.taken <= 5)
  }

  @Test func cancellationReachesAConsumerThatWaits() async throws {
    let gate = Gate()
    let source = CountingSource()
    let scheduler = Fake(
      limits: .init(tokens: 4), window: 16, weigh: { _ in (1, 0) },
      execute: { items throws(EngineError) in
        await gate.wait()
        return items
      })
    let consumer = Task { try await SchedulerOrderTests.outcomes(scheduler, source) }
    #expect(try await eventually { source.taken == 17 })
    consumer.cancel()
    await #expect(throws: CancellationError.self) { try await consumer.value }
    #expect(try await eventually { source.iterators == 0 }, "the reader lives on")
    gate.open()
  }

  @Test func aTaskThatWasCancelledBeforeItBeganGetsNothing() async throws {
    let source = CountingSource()
    let scheduler = plain(window: 16)
    let consumer = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try await SchedulerOrderTests.outcomes(scheduler, source)
    }
    await #expect(throws: CancellationError.self) { try await consumer.value }
    #expect(try await eventually { source.iterators == 0 })
  }

  @Test func aSlowSourceDoesNotHoldBackWhatIsThere() async throws {
    let (stream, continuation) = AsyncStream.makeStream(of: Int.self)
    let iterator = plain(window: 64, tokens: 1000).outcomes(of: stream).makeAsyncIterator()
    for item in 0..<10 {
      continuation.yield(item)
      #expect(try await iterator.next() == .success(item), "waited for a full batch")
    }
    continuation.finish()
    #expect(try await iterator.next() == nil)
  }

  @Test func manyConsumersAtOnceKeepApart() async throws {
    let scheduler = plain(window: 8)
    try await withThrowingTaskGroup(of: Int.self) { group in
      for count in 0..<50 {
        group.addTask {
          let outcomes = try await SchedulerOrderTests.outcomes(scheduler, CountingSource(count))
          #expect(outcomes == (0..<count).map { .success($0) })
          return outcomes.count
        }
      }
      let total = try await group.reduce(0, +)
      #expect(total == 1225)
    }
  }
}
