import Synchronization

@testable import Engine

/// Random numbers that are the same in every run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}

/// A failure that a test's source throws.
struct SourceFailure: Error {}

/// The numbers from 0, which keeps count of how many were taken, and of the iterators that live.
final class CountingSource: AsyncSequence, Sendable {
  private struct State {
    var taken = 0
    var iterators = 0
  }

  /// How many numbers there are.
  let count: Int
  /// Whether the source throws after its last number.
  let fails: Bool
  private let state = Mutex(State())

  init(_ count: Int = .max, fails: Bool = false) {
    self.count = count
    self.fails = fails
  }

  var taken: Int { state.withLock { $0.taken } }
  var iterators: Int { state.withLock { $0.iterators } }

  func makeAsyncIterator() -> Iterator { Iterator(self) }

  final class Iterator: AsyncIteratorProtocol {
    private let source: CountingSource
    private var position = 0

    init(_ source: CountingSource) {
      self.source = source
      source.state.withLock { $0.iterators += 1 }
    }

    deinit { source.state.withLock { $0.iterators -= 1 } }

    func next() async throws -> Int? {
      guard position < source.count else {
        if source.fails { throw SourceFailure() }
        return nil
      }
      source.state.withLock { $0.taken += 1 }
      defer { position += 1 }
      return position
    }
  }
}

/// What went through an executor.
final class ExecutorLog: Sendable {
  struct State {
    var batches: [[Int]] = []
    var running = 0
    var mostRunning = 0
    var itemsRunning = 0
    var mostItemsRunning = 0
  }

  private let state = Mutex(State())

  var summary: State { state.withLock { $0 } }

  func begin(_ items: [Int]) {
    state.withLock {
      $0.batches.append(items)
      $0.running += 1
      $0.itemsRunning += items.count
      $0.mostRunning = max($0.mostRunning, $0.running)
      $0.mostItemsRunning = max($0.mostItemsRunning, $0.itemsRunning)
    }
  }

  func end(_ items: [Int]) {
    state.withLock {
      $0.running -= 1
      $0.itemsRunning -= items.count
    }
  }
}

/// Where tasks wait until it is opened.
final class Gate: Sendable {
  private struct State {
    var isOpen = false
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  func wait() async {
    await withCheckedContinuation { continuation in
      let isOpen = state.withLock {
        if !$0.isOpen { $0.waiting.append(continuation) }
        return $0.isOpen
      }
      if isOpen { continuation.resume() }
    }
  }

  func open() {
    let waiting = state.withLock { state in
      state.isOpen = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }
}

/// Waits until a condition holds, at most some seconds.
/// - Returns: whether it came to hold.
func eventually(seconds: Int = 300, _ condition: () async -> Bool) async throws -> Bool {
  let deadline = ContinuousClock.now + .seconds(seconds)
  while ContinuousClock.now < deadline {
    if await condition() { return true }
    try await Task.sleep(for: .milliseconds(2))
  }
  return await condition()
}
