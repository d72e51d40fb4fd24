import Testing

@testable import Engine

/// What `BatchPolicy` answers in situations small enough to work out by hand.
@Suite struct SchedulerPolicyTests {
  private func policy(
    tokens: Int, batches: Int = 2, bytes: Int = .max, lengths: [Int] = []
  ) -> BatchPolicy {
    var policy = BatchPolicy(limits: .init(tokens: tokens, batches: batches, bytes: bytes))
    for (id, length) in lengths.enumerated() { policy.submit(.init(id: id, tokens: length)) }
    return policy
  }

  private func start(_ policy: inout BatchPolicy) throws -> BatchPolicy.Batch {
    let batch = policy.next()
    return try #require(batch)
  }

  private func ids(_ batch: BatchPolicy.Batch?) -> [Int]? { batch?.items.map(\.id) }

  @Test func nothingWaitingGivesNoBatch() {
    var policy = policy(tokens: 10)
    #expect(policy.next() == nil)
    policy.end()
    #expect(policy.next(impatient: true) == nil)
    #expect(policy.isIdle)
  }

  @Test func anIdleDeviceTakesWhatIsThere() {
    var policy = policy(tokens: 100, lengths: [3])
    #expect(ids(policy.next()) == [0])
    #expect(!policy.isIdle)
  }

  @Test func aBusyDeviceIsOfferedFullBatchesOnly() {
    var policy = policy(tokens: 10, lengths: [4])
    #expect(ids(policy.next()) == [0])
    policy.submit(.init(id: 1, tokens: 4))
    policy.submit(.init(id: 2, tokens: 5))
    #expect(policy.next() == nil)
    policy.submit(.init(id: 3, tokens: 1))
    #expect(policy.next()?.tokens == 10)
  }

  @Test func theEndOfTheSourceReleasesPartialBatches() {
    var policy = policy(tokens: 10, lengths: [4])
    _ = policy.next()
    policy.submit(.init(id: 1, tokens: 4))
    #expect(policy.next() == nil)
    policy.end()
    #expect(ids(policy.next()) == [1])
  }

  @Test func impatienceReleasesPartialBatches() {
    var policy = policy(tokens: 10, lengths: [4])
    _ = policy.next()
    policy.submit(.init(id: 1, tokens: 4))
    #expect(policy.next() == nil)
    #expect(ids(policy.next(impatient: true)) == [1])
  }

  @Test func aLongItemRunsAlone() {
    var policy = policy(tokens: 10, lengths: [25, 1, 1])
    let batch = policy.next()
    #expect(ids(batch) == [0])
    #expect(batch?.tokens == 25)
  }

  @Test func theBatchLimitHoldsUntilTheDeviceHasFinished() throws {
    var policy = policy(tokens: 2, batches: 2, lengths: [2, 2, 2])
    let first = try start(&policy)
    _ = try start(&policy)
    #expect(policy.next() == nil)
    policy.finish(first)
    #expect(ids(policy.next()) == [2])
  }

  @Test func finishingTwiceFreesOnce() throws {
    var policy = policy(tokens: 2, batches: 1, lengths: [2, 2, 2])
    let first = try start(&policy)
    policy.finish(first)
    _ = try start(&policy)
    policy.finish(first)
    #expect(policy.next() == nil)
  }

  @Test func theByteLimitHoldsAcrossBatches() throws {
    var policy = policy(tokens: 2, batches: 4, bytes: 100)
    for id in 0..<4 { policy.submit(.init(id: id, tokens: 2, bytes: 40)) }
    let first = try start(&policy)
    _ = try start(&policy)
    #expect(policy.next() == nil, "80 of 100 bytes are taken")
    policy.finish(first)
    #expect(ids(policy.next()) == [2])
  }

  @Test func anItemLargerThanTheByteLimitRunsAlone() throws {
    var policy = policy(tokens: 10, batches: 4, bytes: 100)
    policy.submit(.init(id: 0, tokens: 1, bytes: 500))
    policy.submit(.init(id: 1, tokens: 1, bytes: 0))
    policy.end()
    let first = try start(&policy)
    #expect(ids(first) == [0])
    #expect(policy.next() == nil)
    policy.finish(first)
    #expect(ids(policy.next()) == [1])
  }

  @Test func anOversizeItemWaitsForAnEmptyDevice() throws {
    var policy = policy(tokens: 4, batches: 4, bytes: 100)
    policy.submit(.init(id: 0, tokens: 4, bytes: 10))
    policy.submit(.init(id: 1, tokens: 4, bytes: 500))
    policy.submit(.init(id: 2, tokens: 4, bytes: 10))
    let first = try start(&policy)
    #expect(policy.next() == nil, "nothing overtakes the oldest")
    policy.finish(first)
    #expect(ids(policy.next()) == [1])
  }

  @Test func itemsOfSimilarLengthTravelTogether() {
    // Buckets by powers of two: 60 and 50 with 40; 3 and 2 are far away, 20 is nearer.
    var policy = policy(tokens: 170, lengths: [40, 3, 60, 2, 50, 20])
    #expect(ids(policy.next()) == [0, 2, 4, 5])
  }

  @Test func aNearlyFullBatchIsToppedUpFromOtherLengths() {
    var policy = policy(tokens: 100, lengths: [60, 3, 39, 1])
    let batch = policy.next()
    #expect(Set(ids(batch) ?? []) == [0, 2, 3])
    #expect(batch?.tokens == 100)
  }

  @Test func everyBatchHasItsOwnNumber() throws {
    var policy = policy(tokens: 1, batches: 8, lengths: Array(repeating: 1, count: 8))
    var numbers: Set<Int> = []
    while let batch = policy.next() { numbers.insert(batch.number) }
    #expect(numbers.count == 8)
  }

  @Test func anEndlessStreamOfShortItemsDoesNotStarveALongOne() throws {
    var policy = policy(tokens: 64, batches: 1, lengths: [8, 60])
    var id = 2
    for round in 0..<4 {
      for _ in 0..<20 {
        policy.submit(.init(id: id, tokens: 8))
        id += 1
      }
      let batch = try start(&policy)
      policy.finish(batch)
      if batch.items.contains(where: { $0.id == 1 }) {
        #expect(round == 1, "it is the oldest once the first batch has gone")
        return
      }
    }
    Issue.record("the long item was never run")
  }
}
