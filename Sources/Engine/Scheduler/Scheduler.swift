/// Runs a stream of work in batches and returns the results in input order.
///
/// What is read ahead of the consumer is bounded, so memory is; a batch that the device has no room for is halved
/// until it passes or a single item fails alone.
package struct Scheduler<Item: Sendable, Output: Sendable>: Sendable {
  /// One item's result: its output, or what kept it from one.
  package typealias Outcome = Result<Output, EngineError>

  let limits: BatchPolicy.Limits
  let window: Int
  let weigh: @Sendable (Item) -> (tokens: Int, bytes: Int)
  let execute: @Sendable ([Item]) async throws(EngineError) -> [Output]

  /// - Parameters:
  ///   - limits: of a batch and of what is in flight.
  ///   - window: items read ahead of the consumer.
  ///   - weigh: an item's tokens (at least 1), and the device memory it takes while it runs.
  ///   - execute: runs one batch, returning an output for each item, in order.
  package init(
    limits: BatchPolicy.Limits, window: Int = 4096, weigh: @escaping @Sendable (Item) -> (tokens: Int, bytes: Int),
    execute: @escaping @Sendable ([Item]) async throws(EngineError) -> [Output]
  ) {
    self.limits = limits
    self.window = max(1, window)
    self.weigh = weigh
    self.execute = execute
  }

  /// The outcomes for `items`, in their order. Reading and running begin with the iteration, and end with it.
  package func outcomes<Items: AsyncSequence & Sendable>(of items: Items) -> Outcomes<Items>
  where Items.Element == Item {
    Outcomes(scheduler: self, items: items)
  }

  package struct Outcomes<Items: AsyncSequence & Sendable>: AsyncSequence, Sendable where Items.Element == Item {
    let scheduler: Scheduler
    let items: Items

    package func makeAsyncIterator() -> Iterator { Iterator(scheduler: scheduler, items: items) }

    /// Owns the run: reading stops when the iterator goes away.
    package final class Iterator: AsyncIteratorProtocol {
      private let run: ScheduledRun<Item, Output>
      private let reader: Task<Void, Never>

      init(scheduler: Scheduler, items: Items) {
        let run = ScheduledRun(scheduler)
        self.run = run
        reader = Task {
          do {
            for try await item in items {
              guard await run.submit(item) else { return }
            }
            await run.end(nil)
          } catch { await run.end(error) }
        }
      }

      deinit {
        reader.cancel()
        let run = run
        Task { await run.abandon() }
      }

      /// - Throws: what the source of the items threw, after the outcomes of all it gave before; or cancellation.
      package func next() async throws -> Outcome? {
        let run = run
        return try await withTaskCancellationHandler {
          try await run.next()
        } onCancel: {
          Task { await run.abandon() }
        }
      }
    }
  }
}

/// One pass over a source: carries out what `BatchPolicy` decides.
///
/// Never awaits between asking the policy and starting what it answered.
actor ScheduledRun<Item: Sendable, Output: Sendable> {
  private let scheduler: Scheduler<Item, Output>
  private var policy: BatchPolicy
  private var results = Reorder<Result<Output, EngineError>>()
  private var items: [Int: Item] = [:]
  private var sourceEnded = false
  private var sourceError: (any Error)?
  private var isAbandoned = false
  private var waitingReader: CheckedContinuation<Void, Never>?
  private var waitingConsumer: CheckedContinuation<Void, Never>?

  init(_ scheduler: Scheduler<Item, Output>) {
    self.scheduler = scheduler
    policy = BatchPolicy(limits: scheduler.limits)
  }

  /// Takes an item in, once the window has room.
  /// - Returns: false if results are no longer wanted.
  func submit(_ item: Item) async -> Bool {
    while results.outstanding >= scheduler.window && !isAbandoned {
      // The window cannot grow, so waiting for a full batch would never end.
      startBatches(impatient: true)
      await withCheckedContinuation { waitingReader = $0 }
    }
    guard !isAbandoned else { return false }
    let id = results.open()
    let weight = scheduler.weigh(item)
    items[id] = item
    policy.submit(BatchPolicy.Item(id: id, tokens: max(1, weight.tokens), bytes: weight.bytes))
    startBatches()
    return true
  }

  func end(_ error: (any Error)?) {
    sourceEnded = true
    sourceError = error
    policy.end()
    startBatches()
    wakeConsumer()
  }

  func abandon() {
    isAbandoned = true
    wakeReader()
    wakeConsumer()
  }

  func next() async throws -> Result<Output, EngineError>? {
    while true {
      if isAbandoned { throw CancellationError() }
      if let outcome = results.next() {
        wakeReader()
        return outcome
      }
      if sourceEnded && results.outstanding == 0 {
        if let error = sourceError {
          sourceError = nil
          throw error
        }
        return nil
      }
      await withCheckedContinuation { waitingConsumer = $0 }
    }
  }

  private func startBatches(impatient: Bool = false) {
    while !isAbandoned, let batch = policy.next(impatient: impatient) {
      let work = batch.items.compactMap { items.removeValue(forKey: $0.id) }
      let ids = batch.items.map(\.id)
      Task { [scheduler] in
        let outcomes = await scheduler.outcomes(ofBatch: work)
        finish(batch, ids, outcomes)
      }
    }
  }

  private func finish(_ batch: BatchPolicy.Batch, _ ids: [Int], _ outcomes: [Result<Output, EngineError>]) {
    policy.finish(batch)
    for (id, outcome) in zip(ids, outcomes) { results.fill(id, with: outcome) }
    startBatches(impatient: waitingReader != nil)
    wakeConsumer()
  }

  private func wakeReader() {
    waitingReader?.resume()
    waitingReader = nil
  }

  private func wakeConsumer() {
    waitingConsumer?.resume()
    waitingConsumer = nil
  }
}

extension Scheduler {
  /// Runs a batch; one the device has no room for is run in halves.
  func outcomes(ofBatch items: [Item]) async -> [Outcome] {
    do throws(EngineError) {
      let outputs = try await execute(items)
      guard outputs.count == items.count else {
        throw EngineError(.deviceFailure, "a batch of \(items.count) returned \(outputs.count) results")
      }
      return outputs.map { .success($0) }
    } catch {
      // A device that fails at any size is not asked again for every half.
      guard error.kind != .deviceFailure, items.count > 1 else { return items.map { _ in .failure(error) } }
      let middle = items.count / 2
      let first = await outcomes(ofBatch: Array(items[..<middle]))
      return first + (await outcomes(ofBatch: Array(items[middle...])))
    }
  }
}
