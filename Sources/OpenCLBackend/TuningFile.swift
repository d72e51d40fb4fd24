package import Engine
package import Files
internal import Foundation
internal import Kernels
internal import Logging
internal import OpenCL
internal import Synchronization

/// A device's tuning on disk, beside its compiled kernels: one file a device, made by `weft tune`.
///
/// It holds good for the driver and the kernels that it was measured with.
package struct TuningFile: Sendable {
  /// What a file is good for.
  package enum State: Sendable {
    /// There is none.
    case missing
    /// It was measured with something else: the text says what.
    case stale(String)
    /// It cannot be used: the text says why.
    case damaged(String)
    case usable([Entry])
  }

  /// What an operation was tuned to. An entry without a choice says that the default is the fastest.
  package struct Entry: Sendable, Hashable, Codable {
    /// A choice that was tried.
    package struct Trial: Sendable, Hashable, Codable {
      package var choice: [String: Int]
      package var seconds: Double?
      /// Of the best choice before it, in turn with it.
      package var bestSeconds: Double?
      package var problem: String?
    }

    package var key: String
    package var choice: [String: Int]
    package var defaultSeconds: Double
    package var seconds: Double
    package var trials: [Trial]
  }

  /// The whole file.
  private struct Content: Codable {
    var format: String
    var device: String
    var platform: String
    var driver: String
    /// SHA-256 of all kernels' sources.
    var kernels: String
    var operations: [Entry]
  }

  private static let format = "weft tuning 1"
  /// Larger files are none of Weft's.
  private static let mostBytes = 1 << 22
  private static let mostEntries = 10_000

  /// The file's path.
  package var path: String { cache.path(named: name) }
  /// What to do about a file that cannot be used.
  package static let remedy = "'weft tune --forget' removes it, 'weft tune' makes it anew"

  private let cache: ProgramCache
  private let name: String
  private let device: String
  private let platform: String
  private let driver: String

  init(of device: Device, in cache: ProgramCache) {
    self.init(
      device: device.name, platformName: device.platformName, platformVersion: device.platformVersion,
      driver: device.driverVersion, in: cache)
  }

  init(device: String, platformName: String, platformVersion: String, driver: String, in cache: ProgramCache) {
    self.cache = cache
    self.device = device
    platform = "\(platformName) \(platformVersion)"
    self.driver = driver
    // A new driver takes the place of an old one; another platform's device of the same name has a file of its own.
    name = "tuning-\(fingerprint(of: [device, platformName]).prefix(16)).json"
  }

  private static let kernels = fingerprint(of: KernelSources.texts)

  /// Reads the file.
  package func read() -> State {
    let bytes: [UInt8]
    do {
      guard let content = try cache.read(name) else { return .missing }
      bytes = content
    } catch { return .damaged("it is not a regular file that only its owner can write") }
    guard bytes.count <= Self.mostBytes else { return .damaged("it is larger than \(Self.mostBytes) bytes") }
    guard let content = try? JSONDecoder().decode(Content.self, from: Data(bytes)), content.format == Self.format else {
      return .damaged("it is not what 'weft tune' of this version writes")
    }
    guard content.device == device else { return .damaged("it is of the device \(content.device)") }
    guard content.operations.count <= Self.mostEntries else {
      return .damaged("it has more than \(Self.mostEntries) operations")
    }
    guard content.platform == platform, content.driver == driver else { return .stale("another driver") }
    guard content.kernels == Self.kernels else { return .stale("other versions of the kernels") }
    return .usable(content.operations)
  }

  /// Writes what was found over what the file says of the same operations; what it says of others stays, if it still
  /// holds good, and so does a choice where not all was tried this time and nothing was found.
  /// - Throws: `WriteError` if the system refuses.
  package func add(_ records: [TuningRecord]) throws(WriteError) {
    var entries: [String: Entry] = [:]
    if case .usable(let known) = read() { for entry in known { entries[entry.key] = entry } }
    for record in records {
      if !record.isComplete, record.choice.values.isEmpty, entries[record.key] != nil { continue }
      entries[record.key] = Entry(record)
    }
    let content = Content(
      format: Self.format, device: device, platform: platform, driver: driver, kernels: Self.kernels,
      operations: entries.values.sorted { $0.key < $1.key })
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(content) else { throw WriteError(path: path, code: EINVAL) }
    try cache.write(Array(data), to: name)
  }

  /// Removes the file.
  /// - Returns: whether there was one.
  /// - Throws: `WriteError` if it cannot be removed.
  package func remove() throws(WriteError) -> Bool { try cache.remove(name) }
}

extension TuningFile.Entry {
  init(_ record: TuningRecord) {
    self.init(
      key: record.key, choice: record.choice.values, defaultSeconds: record.defaultSeconds, seconds: record.seconds,
      trials: record.trials.map { trial in
        Trial(
          choice: trial.choice.values, seconds: trial.seconds?.own, bestSeconds: trial.seconds?.best,
          problem: trial.problem)
      })
  }
}

/// What a device's operations are tuned to, from its file, and who is told.
final class DeviceTuning: Sendable {
  let tuning: Tuning
  private let logger: Logger
  private let told = Mutex<Set<String>>([])

  /// Reads a file.
  /// - Parameters:
  ///   - file: the file; nil for none.
  ///   - logger: is told at level `debug` what is used, and is warned of a file that cannot be.
  init(_ file: TuningFile?, logger: Logger) {
    self.logger = logger
    switch file?.read() {
    case nil:
      tuning = .none
      logger.debug("tuning: defaults, since nothing is kept without a cache folder")
    case .missing:
      tuning = .none
      logger.debug("tuning: defaults; 'weft tune' measures what is faster on this device")
    case .stale(let change):
      tuning = .none
      logger.debug("tuning: defaults; \(file?.path ?? "") was measured with \(change), 'weft tune' makes it anew")
    case .damaged(let problem):
      tuning = .none
      logger.warning("tuning: \(file?.path ?? "") is not used: \(problem); \(TuningFile.remedy)")
    case .usable(let entries):
      let chosen = entries.filter { !$0.choice.isEmpty }
      tuning = Tuning([String: TileChoice](chosen.map { ($0.key, TileChoice($0.choice)) }) { $1 })
      logger.debug("tuning: \(chosen.count) of \(entries.count) operations have other tiles, by \(file?.path ?? "")")
    }
  }

  /// The tiles that an operation is launched with.
  func tiles(for operation: any DeviceOperation, _ tiles: TileShape) -> TileShape {
    guard let (key, choice) = tuning.choice(for: operation, tiles) else { return tiles }
    if logger.logLevel <= .debug, told.withLock({ $0.insert(key).inserted }) {
      logger.debug("tuning: \(key): \(choice)")
    }
    return tiles.choosing(choice)
  }
}
