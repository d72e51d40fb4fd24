import Engine
import TestDevices
import Testing
import Weft

/// Sixty-four tasks on one device: some cancelled at any moment, some that drop their streams midway. What the others
/// get is what they get alone, and the device works on. Worth most under `--sanitize=thread`, as `Scripts/test-threads`
/// runs it: there an access that another thread could see half done is an error.
@Suite(.timeLimit(.minutes(15))) struct ThreadTests {
  static let taskCount = 64
  static let places = LibraryWork.all.flatMap { work in TestDevice.available.map { (work, $0) } }

  private enum Fate { case ends, isCancelled, drops }

  @Test(arguments: places) func manyTasksShareADevice(work: LibraryWork, device: TestDevice) async throws {
    let engine = try await device.engine()
    let loaded = try await work.load(engine)
    let alone = try await loaded.run()
    #expect(!alone.isEmpty)
    let ended = try await withThrowingTaskGroup(of: Bool.self) { group in
      var generator = SplitMix64(seed: 11)
      for index in 0..<Self.taskCount {
        let fate: Fate = [.ends, .isCancelled, .drops][index % 3]
        let delay = Duration.microseconds(Int(generator.next() % 4000))
        group.addTask { try await Self.play(fate, after: delay, loaded, expecting: alone) }
      }
      return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(ended >= Self.taskCount / 3)
    #expect(try await loaded.run() == alone, "the device works on")
  }

  /// - Returns: whether the work was done to its end.
  private static func play(
    _ fate: Fate, after delay: Duration, _ loaded: LibraryWork.Loaded, expecting alone: String
  ) async throws -> Bool {
    switch fate {
    case .ends:
      #expect(try await loaded.run() == alone)
      return true
    case .drops:
      try await loaded.drop()
      return false
    case .isCancelled:
      let task = Task { try await loaded.run() }
      try await Task.sleep(for: delay)
      task.cancel()
      switch await task.result {
      case .success(let result):
        #expect(result == alone, "what came in spite of the cancellation is right")
        return true
      case .failure(let error):
        #expect(error is CancellationError, "\(error)")
        return false
      }
    }
  }

  /// Everything is dropped while commands are on their way: engines, models, streams.
  @Test(arguments: places) func devicesAreDroppedAtWork(work: LibraryWork, device: TestDevice) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for index in 0..<8 {
        group.addTask {
          let task = Task {
            let loaded = try await work.load(Engine(device == .reference ? .reference : .openCL(index: nil)))
            try await loaded.drop()
          }
          if index % 2 == 1 {
            try await Task.sleep(for: .milliseconds(index))
            task.cancel()
          }
          if case .failure(let error) = await task.result {
            #expect(index % 2 == 1 && error is CancellationError, "\(error)")
          }
        }
      }
      try await group.waitForAll()
    }
    let loaded = try await work.load(device.engine())
    let after = try await loaded.run()
    #expect(!after.isEmpty)
  }

  /// One scheduler, sixty-four runs of it, with batches that fail and sources that end in the middle.
  @Test func manyRunsShareAScheduler() async throws {
    let scheduler = Scheduler<Int, Int>(
      limits: .init(tokens: 8, batches: 3), window: 10, weigh: { (1 + $0 % 3, 0) },
      execute: { items throws(EngineError) in
        await Task.yield()
        if items.count > 1 && items.contains(where: { $0 % 17 == 0 }) { throw EngineError(.exhausted, "no room") }
        // A batch without room is halved, so in the end such an item is alone and fails alone.
        if items.contains(where: { $0 % 23 == 0 }) { throw EngineError(.exhausted, "no room") }
        return items.map { 3 * $0 }
      })
    let counts = try await withThrowingTaskGroup(of: Int?.self) { group in
      for index in 0..<Self.taskCount {
        group.addTask {
          let (numbers, source) = AsyncStream<Int>.makeStream()
          for number in 1...100 { source.yield(number) }
          source.finish()
          if index % 4 == 1 {
            let task = Task { for try await _ in scheduler.outcomes(of: numbers) { await Task.yield() } }
            try await Task.sleep(for: .microseconds(50 * index))
            task.cancel()
            _ = await task.result
            return nil
          }
          var place = 0
          for try await outcome in scheduler.outcomes(of: numbers) {
            place += 1
            if case .success(let value) = outcome { #expect(value == 3 * place) } else { #expect(place % 23 == 0) }
            if index % 4 == 2 && place == index { return nil }
          }
          return place
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(counts.compactMap { $0 } == [Int](repeating: 100, count: Self.taskCount / 2))
  }
}
