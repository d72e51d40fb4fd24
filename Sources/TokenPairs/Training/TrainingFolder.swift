internal import Files
import Foundation
internal import ModelFiles

/// The directory that a model is trained into: `OUTPUT/training` while the training lasts, and the model's files in
/// `OUTPUT` when it has ended, not before. One training works in it at a time.
final class TrainingFolder {
  /// What may happen to what the directory holds.
  struct Mode: Sendable, Hashable {
    /// An unfinished training continues.
    var resumes: Bool
    /// An unfinished training is thrown away, and a model is replaced when the new one is there.
    var overwrites: Bool
  }

  /// Files of a model that are replaced or removed when a new one takes its place.
  private static let modelFiles =
    ["config.json", "model.safetensors", "model.safetensors.index.json", "history.jsonl", "history.svg"]
    + ModelImporter.tokenizerFiles
  /// What makes a directory a model: written last, removed first.
  private static let descriptions = ["globalpointer.json", "gplinker.json"]
  private static let lockName = "lock"
  private static let checkpointName = "checkpoint.safetensors"
  private static let stagingName = "model"

  let output: String
  /// Where the checkpoint and the features lie.
  let work: String
  private let lock: Int32

  var checkpoint: String { "\(work)/\(Self.checkpointName)" }
  var hasCheckpoint: Bool { fileExists(checkpoint) }

  /// Looks at the directory, and makes it ready for a training.
  /// - Parameters:
  ///   - path: the directory.
  ///   - mode: what may become of what it holds.
  ///   - encoder: the encoder's directory, which must be another.
  /// - Throws: `ModelFileError` if it holds what the mode does not allow to be replaced, or another training works in it.
  init(_ path: String, _ mode: Mode, encoder: String) throws(ModelFileError) {
    output = try DestinationFolder.name(path)
    work = "\(output)/training"
    if fileExists(output) { try Self.check(output, work, mode, encoder: encoder) }
    do { try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: true) } catch {
      throw ModelFileError(file: output, problem: "cannot be created: \(error.localizedDescription)")
    }
    lock = open("\(work)/\(Self.lockName)", O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard lock >= 0 else {
      throw ModelFileError(file: work, problem: "cannot be written to: \(String(cString: strerror(errno)))")
    }
    // The system releases it when the process ends, however it ends.
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      throw ModelFileError(file: output, problem: "another training is at work in it")
    }
    try clean()
  }

  deinit {
    // Closing is not enough: a process that another thread is starting has a copy until it runs its own program.
    _ = flock(lock, LOCK_UN)
    close(lock)
  }

  private static func check(
    _ output: String, _ work: String, _ mode: Mode, encoder: String
  ) throws(ModelFileError) {
    guard isDirectory(output) else { throw ModelFileError(file: output, problem: "exists and is not a directory") }
    guard !isSame(output, encoder) else {
      throw ModelFileError(file: output, problem: "is the encoder's own directory; name another")
    }
    let names = try fileNames(in: output)
    if fileExists(work) { try checkWork(work) }
    // A directory with the name of a model's file was not made by a training.
    for name in descriptions + modelFiles where isDirectory("\(output)/\(name)") {
      throw ModelFileError(
        file: "\(output)/\(name)", problem: "is a directory where a model has a file; name another directory")
    }
    // Before its first checkpoint a training has nothing to lose.
    let hasTraining = fileExists("\(work)/\(checkpointName)")
    let hasModel = names.contains { descriptions.contains($0) || $0.hasPrefix("model.safetensors") }
    if mode.overwrites || (mode.resumes && hasTraining) { return }
    guard !hasTraining else {
      throw ModelFileError(
        file: output, problem: "holds an unfinished training: --resume goes on with it, --overwrite throws it away")
    }
    guard !hasModel else {
      throw ModelFileError(
        file: output,
        problem: mode.resumes
          ? "holds a model and no unfinished training: nothing is left to resume"
          : "holds a model: --overwrite replaces it when the training has ended; or name another directory")
    }
    guard names.allSatisfy({ "\(output)/\($0)" == work }) else {
      throw ModelFileError(
        file: output, problem: "exists and is not empty: name a new directory, or write into it with --overwrite")
    }
  }

  /// Refuses a working directory that holds what no training made: it goes when the training has ended.
  private static func checkWork(_ work: String) throws(ModelFileError) {
    var status = stat()
    guard lstat(work, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw ModelFileError(file: work, problem: "exists and is not a directory")
    }
    let names = try fileNames(in: work)
    // Every training has locked its directory first.
    guard let other = names.first(where: { !isOwn($0) }) ?? (names.contains(lockName) ? nil : names.first) else {
      return
    }
    throw ModelFileError(
      file: work, problem: "holds \(other.quoted), which is of no training; name another directory")
  }

  /// Whether a file of the working directory is one that a training makes.
  private static func isOwn(_ name: String) -> Bool {
    [lockName, checkpointName, stagingName].contains(name) || name.hasPrefix(FeatureLayout.namePrefix)
      || ReplacingFile.target(ofUnfinished: name).map(isOwn) ?? false
  }

  /// Removes what a process that was killed left half written. An older checkpoint stays until there is a new one, and
  /// features say themselves whether they can be used again.
  private func clean() throws(ModelFileError) {
    for name in try fileNames(in: work)
    where name == Self.stagingName || ReplacingFile.target(ofUnfinished: name) == Self.checkpointName {
      try remove("\(work)/\(name)")
    }
  }

  /// Puts a model's files in their place, and removes what the training needed.
  /// - Parameter write: writes the files into a directory; nothing is put anywhere if it fails.
  /// - Throws: what `write` throws, or `ModelFileError` if the system refuses.
  func finish(_ write: (_ directory: String) throws -> Void) throws {
    let staging = "\(work)/\(Self.stagingName)"
    try? FileManager.default.removeItem(atPath: staging)
    let folder: StagingFolder
    do { folder = try StagingFolder(at: staging) } catch {
      throw ModelFileError(file: staging, problem: "cannot be created: \(error.reason)")
    }
    for name in Self.descriptions + Self.modelFiles { _ = folder.file(name) }
    try write(staging)
    let staged = try fileNames(in: staging)
    // A description is beside the files that it describes, or there is none.
    for name in Self.descriptions + Self.modelFiles
    where fileExists("\(output)/\(name)") && (Self.descriptions.contains(name) || !staged.contains(name)) {
      try remove("\(output)/\(name)")
    }
    let ordered = staged.filter { !Self.descriptions.contains($0) } + staged.filter(Self.descriptions.contains)
    do { try folder.commit(ordered, into: output) } catch { throw ModelFileError(error) }
    for name in try fileNames(in: work) where Self.isOwn(name) { try remove("\(work)/\(name)") }
    rmdir(work)
  }

  private func remove(_ path: String) throws(ModelFileError) {
    do { try FileManager.default.removeItem(atPath: path) } catch {
      throw ModelFileError(file: path, problem: "cannot be removed: \(error.localizedDescription)")
    }
  }

  /// Refuses to keep features in the output directory or below it: it must hold nothing else when a training starts, and
  /// its working directory goes when the training ends.
  static func check(features: String, output: String) throws(ModelFileError) {
    let output = try DestinationFolder.name(output)
    let (inner, outer) = (standardized(features), standardized(output))
    guard inner != outer, !inner.hasPrefix(outer + "/"), !isSame(features, output) else {
      throw ModelFileError(
        file: features, problem: "is where the model is made; keep the features in a directory beside it")
    }
  }

  private static func standardized(_ path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath().path
  }

  /// Whether two paths lead to one directory.
  private static func isSame(_ first: String, _ second: String) -> Bool {
    var (a, b) = (stat(), stat())
    return stat(first, &a) == 0 && stat(second, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino
  }
}
