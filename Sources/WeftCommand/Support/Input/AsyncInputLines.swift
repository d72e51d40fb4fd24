internal import Dispatch

/// The lines of a ``LineReader`` as an asynchronous sequence.
///
/// The reads block, so they run on a queue of their own and never hold a thread of the
/// cooperative pool. Nothing is read ahead beyond one chunk. It can be iterated once.
struct AsyncInputLines: AsyncSequence, Sendable {
  private let source: Source

  init(_ reader: sending LineReader) { source = Source(reader) }

  func makeAsyncIterator() -> Iterator { Iterator(source: source) }

  struct Iterator: AsyncIteratorProtocol {
    fileprivate let source: Source
    private var batch: ArraySlice<InputLine> = []

    fileprivate init(source: Source) { self.source = source }

    mutating func next() async throws(InputError) -> InputLine? {
      if batch.isEmpty {
        guard let lines = try await source.nextBatch() else { return nil }
        batch = lines[...]
      }
      return batch.popFirst()
    }
  }

  /// Owns the reader; its executor is the queue.
  fileprivate actor Source {
    private var reader: LineReader
    private let executor = QueueExecutor(label: "weft.input")

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(_ reader: sending LineReader) { self.reader = reader }

    func nextBatch() throws(InputError) -> [InputLine]? { try reader.nextBatch() }
  }
}

/// Runs an actor on one dispatch queue, where it may block.
private final class QueueExecutor: SerialExecutor {
  private let queue: DispatchQueue

  init(label: String) { queue = DispatchQueue(label: label) }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let executor = asUnownedSerialExecutor()
    queue.async { job.runSynchronously(on: executor) }
  }

  func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }
}
