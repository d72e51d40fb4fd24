import Testing

@testable import Engine

/// What becomes of a batch that fails, and of the items beside the one to blame.
@Suite(.timeLimit(.minutes(15))) struct SchedulerFailureTests {
  typealias Fake = Scheduler<Int, Int>

  private static let exhausted = EngineError(.exhausted, "no room")
  private static let broken = EngineError(.deviceFailure, "the device is gone")

  @Test(arguments: [1, 2, 3, 7]) func aBatchWithoutRoomIsHalvedUntilItPasses(
    room: Int
  ) async throws {
    let log = ExecutorLog()
    let scheduler = Fake(
      limits: .init(tokens: 32), weigh: { _ in (1, 0) },
      execute: { items throws(EngineError) in
        guard items.count <= room else { throw Self.exhausted }
        log.begin(items)
        await Task.yield()
        log.end(items)
        return items.map { $0 + 1000 }
      })
    let outcomes = try await SchedulerOrderTests.outcomes(scheduler, CountingSource(203))
    #expect(outcomes == (0..<203).map { .success($0 + 1000) })
    #expect(log.summary.batches.flatMap { $0 }.sorted() == Array(0..<203))
  }

  @Test func anItemThatNeverFitsFailsAlone() async throws {
    let scheduler = Fake(
      limits: .init(tokens: 32), weigh: { _ in (1, 0) },
      execute: { items throws(EngineError) in
        guard !items.contains(37) else { throw Self.exhausted }
        return items
      })
    let outcomes = try await SchedulerOrderTests.outcomes(scheduler, CountingSource(100))
    #expect(outcomes == (0..<100).map { $0 == 37 ? .failure(Self.exhausted) : .success($0) })
  }

  @Test func severalItemsThatNeverFitFailAlone() async throws {
    let scheduler = Fake(
      limits: .init(tokens: 16, batches: 3), window: 40, weigh: { _ in (1, 0) },
      execute: { items throws(EngineError) in
        guard items.allSatisfy({ $0 % 10 != 3 }) else { throw Self.exhausted }
        return items
      })
    let outcomes = try await SchedulerOrderTests.outcomes(scheduler, CountingSource(200))
    #expect(outcomes == (0..<200).map { $0 % 10 == 3 ? .failure(Self.exhausted) : .success($0) })
  }

  @Test func aBrokenDeviceIsNotAskedAgainForHalves() async throws {
    let log = ExecutorLog()
    let scheduler = Fake(
      limits: .init(tokens: 8, batches: 1), weigh: { _ in (1, 0) },
      execute: { items throws(EngineError) in
        log.begin(items)
        log.end(items)
        throw Self.broken
      })
    let outcomes = try await SchedulerOrderTests.outcomes(scheduler, CountingSource(64))
    #expect(outcomes == Array(repeating: .failure(Self.broken), count: 64))
    let tried = log.summary.batches.flatMap { $0 }.sorted()
    #expect(tried == Array(0..<64), "each item is tried once")
  }

  @Test func batchesAfterAFailureStillRun() async throws {
    let scheduler = Fake(
      limits: .init(tokens: 8, batches: 1), weigh: { _ in (8, 0) },
      execute: { items throws(EngineError) in
        guard items != [5] else { throw Self.broken }
        return items
      })
    let outcomes = try await SchedulerOrderTests.outcomes(scheduler, CountingSource(10))
    #expect(outcomes == (0..<10).map { $0 == 5 ? .failure(Self.broken) : .success($0) })
  }

  @Test func aWrongNumberOfResultsIsAFailureNotACrash() async throws {
    let scheduler = Fake(
      limits: .init(tokens: 4), weigh: { _ in (4, 0) },
      execute: { items throws(EngineError) in items == [1] ? [] : items == [2] ? [0, 0] : items })
    let outcomes = try await SchedulerOrderTests.outcomes(scheduler, CountingSource(4))
    let kinds = outcomes.map { outcome -> EngineError.Kind? in
      if case .failure(let error) = outcome { error.kind } else { nil }
    }
    #expect(kinds == [nil, .deviceFailure, .deviceFailure, nil])
  }

  @Test(arguments: [0, 1, 17, 64]) func aSourceThatThrowsDeliversWhatCameBefore(
    count: Int
  ) async throws {
    let scheduler = Fake(
      limits: .init(tokens: 8), weigh: { _ in (1, 0) },
      execute: { items throws(EngineError) in
        try? await Task.sleep(for: .milliseconds(1))
        return items
      })
    let iterator = scheduler.outcomes(of: CountingSource(count, fails: true)).makeAsyncIterator()
    for item in 0..<count { #expect(try await iterator.next() == .success(item)) }
    await #expect(throws: SourceFailure.self) { _ = try await iterator.next() }
    #expect(try await iterator.next() == nil)
  }
}
