/// An operation of a model that can be cut into tiles in several ways, and what it needs to run by itself.
package struct TuningTask: Sendable {
  /// See ``Tuning/key(_:_:)``.
  package let key: String
  /// How often such operations were run.
  package fileprivate(set) var count = 1
  fileprivate let space: TuningSpace
  fileprivate let operation: any DeviceOperation
  /// Tables that the operation indexes with: a later batch may have put others into the same memory.
  fileprivate let uploads: Submission

  /// Those among recorded operations, each key once: the first operation stands for all that share it. `submissions` are
  /// what ran, with uploads, and `tiles` the device's.
  package static func tasks(in submissions: [Submission], _ tiles: TileShape) -> [TuningTask] {
    var tasks: [TuningTask] = []
    var places: [String: Int] = [:]
    for submission in submissions {
      for operation in submission.operations {
        guard let space = operation.tuning(tiles), space.knobs.contains(where: { !$0.values.isEmpty }) else { continue }
        let key = Tuning.key(space, tiles)
        if let place = places[key] {
          tasks[place].count += 1
        } else {
          places[key] = tasks.count
          tasks.append(
            TuningTask(key: key, space: space, operation: operation, uploads: submission.uploadsAlone))
        }
      }
    }
    return tasks
  }
}

/// Finds the fastest of the ways in which an operation can be cut into tiles, on the device where it will run.
///
/// One number after the other is tried, on top of the best of those before. A choice replaces another one if the median of
/// its runs is less by more than ``leastGain``, of runs in turn, since a machine that slows down for a while slows both,
/// and if it was faster in ``leastWins`` of the pairs. Bits are compared first, and a choice with others is dropped, as is
/// one that the device refuses.
package struct Tuner: Sendable {
  /// The least gain that is not taken for noise.
  package static let leastGain = 0.02
  /// The share of pairs that a faster choice wins at least; chance alone wins half.
  private static let leastWins = 0.75
  /// Runs of each of two choices: at least, at most, and after which a clearly slower one is given up.
  private static let rounds = (least: 5, most: 15, early: 3)
  /// A choice slower than this times the best is given up early.
  private static let clearlySlower = 1.15
  /// Runs of a comparison take so long at most, in seconds, unless there are too few.
  private static let comparisonSeconds = 1.0
  /// Short operations are run several times together, so that the host's part does not count.
  private static let runSeconds = 0.002

  /// Seconds that a run of some choice takes.
  package typealias Stopwatch =
    @Sendable (_ choice: TileChoice, _ run: () async throws(EngineError) -> Void) async throws(EngineError) -> Double

  private let engine: Engine
  private let stopwatch: Stopwatch

  /// - Parameters:
  ///   - engine: the device.
  ///   - stopwatch: what runs are timed with; a clock unless a test says otherwise.
  package init(on engine: Engine, stopwatch: @escaping Stopwatch = Self.clock) {
    self.engine = engine
    self.stopwatch = stopwatch
  }

  /// The time that passes.
  package static let clock: Stopwatch = { (_, run) async throws(EngineError) in
    let start = ContinuousClock.now
    try await run()
    return start.duration(to: .now) / .seconds(1)
  }

  /// How long an operation takes by default, in seconds: roughly.
  /// - Throws: `EngineError` if the device fails.
  package func defaultSeconds(_ task: TuningTask) async throws(EngineError) -> Double {
    let bench = try await Bench(task, on: engine, stopwatch)
    try await bench.prepare()
    _ = try await bench.seconds(TileChoice())
    return try await bench.seconds(TileChoice())
  }

  /// Tries an operation's choices.
  ///
  /// - Parameters:
  ///   - task: the operation.
  ///   - deadline: when to begin no further trial.
  /// - Returns: the best and all trials.
  /// - Throws: `EngineError` if the device fails with the default.
  package func tune(
    _ task: TuningTask, until deadline: ContinuousClock.Instant
  ) async throws(EngineError) -> TuningRecord {
    var bench = try await Bench(task, on: engine, stopwatch)
    let expected = try await bench.results(TileChoice())
    guard try await bench.results(TileChoice()) == expected else {
      let problem = "two runs of the default have different results"
      let seconds = try await bench.seconds(TileChoice())
      return TuningRecord(
        key: task.key, count: task.count, choice: TileChoice(), defaultSeconds: seconds, seconds: seconds,
        trials: [TuningRecord.Trial(TileChoice(), problem: problem)], isComplete: true)
    }
    try await bench.setCopies(lasting: Self.runSeconds)

    var best = TileChoice()
    var trials: [TuningRecord.Trial] = []
    var isComplete = true
    for knob in task.space.knobs {
      let base = best
      for value in knob.values {
        guard ContinuousClock.now < deadline, !Task.isCancelled else {
          isComplete = false
          break
        }
        let choice = base.setting(knob.name, to: value)
        do throws(EngineError) {
          guard try await bench.results(choice) == expected else {
            trials.append(TuningRecord.Trial(choice, problem: "other bits than the default"))
            continue
          }
          let pairs = try await compare(choice, with: best, bench)
          trials.append(TuningRecord.Trial(choice, seconds: (own: pairs.first, best: pairs.second)))
          if pairs.isFirstFaster { best = choice }
        } catch {
          trials.append(TuningRecord.Trial(choice, problem: error.message))
        }
      }
    }
    guard best != TileChoice() else {
      let seconds = try await compare(TileChoice(), with: TileChoice(), bench).second
      return TuningRecord(
        key: task.key, count: task.count, choice: best, defaultSeconds: seconds, seconds: seconds, trials: trials,
        isComplete: isComplete)
    }
    // Each step may have gained by chance: what counts is against the default.
    let pairs = try await compare(best, with: TileChoice(), bench)
    return TuningRecord(
      key: task.key, count: task.count, choice: pairs.isFirstFaster ? best : TileChoice(),
      defaultSeconds: pairs.second, seconds: pairs.isFirstFaster ? pairs.first : pairs.second, trials: trials,
      isComplete: isComplete)
  }

  /// Medians of two choices, run in turn, and whether the first is faster by more than noise could make it.
  private func compare(
    _ first: TileChoice, with second: TileChoice, _ bench: Bench
  ) async throws(EngineError) -> (first: Double, second: Double, isFirstFaster: Bool) {
    var times: (first: [Double], second: [Double]) = ([], [])
    try await bench.prepare()
    _ = try await bench.seconds(first)
    let start = ContinuousClock.now
    while times.first.count < Self.rounds.most {
      let count = times.first.count
      if count >= Self.rounds.least, start.duration(to: .now) > .seconds(Self.comparisonSeconds) { break }
      if count >= Self.rounds.early, median(times.first) > Self.clearlySlower * median(times.second) { break }
      // Whoever comes second finds warmer caches.
      if count.isMultiple(of: 2) {
        times.first.append(try await bench.seconds(first))
        times.second.append(try await bench.seconds(second))
      } else {
        times.second.append(try await bench.seconds(second))
        times.first.append(try await bench.seconds(first))
      }
    }
    let medians = (first: median(times.first), second: median(times.second))
    let wins = zip(times.first, times.second).filter { $0 < $1 }.count
    let isFaster =
      medians.first < medians.second * (1 - Self.leastGain)
      && Double(wins) >= Self.leastWins * Double(times.first.count)
    return (medians.first, medians.second, isFaster)
  }

  private func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
  }
}

/// An operation that is run by itself, again and again, from the same contents of its tensors.
private struct Bench {
  private let task: TuningTask
  private let engine: Engine
  private let stopwatch: Tuner.Stopwatch
  /// All memory that the operation reads or writes, and what it held at first.
  private let tensors: [Tensor]
  private let contents: [HostArray]
  /// Places of the tensors that the default changed.
  private var changed: [Int]
  private var copies = 1

  init(_ task: TuningTask, on engine: Engine, _ stopwatch: @escaping Tuner.Stopwatch) async throws(EngineError) {
    self.task = task
    self.engine = engine
    self.stopwatch = stopwatch
    _ = try await engine.run(task.uploads)
    guard let tiles = engine.backend.tiles else {
      throw EngineError(.invalidOperation, "\(engine.device.name) has no tiles to tune")
    }
    var tensors: [ObjectIdentifier: Tensor] = [:]
    for argument in task.operation.launches(tiles).flatMap({ $0.arguments.list }) {
      guard case .tensor(let tensor) = argument.value else { continue }
      let identifier = ObjectIdentifier(tensor.storage)
      if tensor.count > tensors[identifier]?.count ?? 0 { tensors[identifier] = tensor }
    }
    self.tensors = Array(tensors.values)
    var submission = Submission()
    for tensor in self.tensors { try submission.download(tensor) }
    contents = try await engine.run(submission)
    changed = Array(self.tensors.indices)
  }

  /// Puts back what the operation changes.
  func prepare() async throws(EngineError) {
    var submission = Submission()
    for place in changed { try submission.upload(contents[place], to: tensors[place]) }
    _ = try await engine.run(submission)
  }

  /// What the tensors hold after one run: only those that change, once it is known which do.
  mutating func results(_ choice: TileChoice) async throws(EngineError) -> [Int: [UInt32]] {
    try await prepare()
    var submission = Submission()
    submission.choice = choice
    try submission.append(task.operation)
    for tensor in tensors { try submission.download(tensor) }
    let after = try await engine.run(submission)
    var results: [Int: [UInt32]] = [:]
    for place in tensors.indices {
      let words = Self.words(after[place])
      guard words != Self.words(contents[place]) else { continue }
      results[place] = words
    }
    // A choice that writes elsewhere has other results; what it wrote is put back too.
    changed = Array(Set(changed.count == tensors.count ? [] : changed).union(results.keys)).sorted()
    return results
  }

  /// Runs the operation so often in a row that it takes a while.
  mutating func setCopies(lasting seconds: Double) async throws(EngineError) {
    try await prepare()
    let one = try await self.seconds(TileChoice())
    if one > 0 { copies = min(64, max(1, Int((seconds / one).rounded(.up)))) }
  }

  /// Seconds that one operation takes.
  func seconds(_ choice: TileChoice) async throws(EngineError) -> Double {
    var submission = Submission()
    submission.choice = choice
    for _ in 0..<copies { try submission.append(task.operation) }
    let timed = submission
    return try await stopwatch(choice) { () async throws(EngineError) in _ = try await engine.run(timed) }
      / Double(copies)
  }

  private static func words(_ array: HostArray) -> [UInt32] {
    array.withBytes { Array($0.bindMemory(to: UInt32.self)) }
  }
}
