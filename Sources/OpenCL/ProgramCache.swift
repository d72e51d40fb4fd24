package import Files
internal import Synchronization

/// Compiled programs on disk, so that a second start is quick.
///
/// Any fault at all (a damaged or foreign file, a full disk, no permission) is a miss, never an
/// error. Processes may share a directory: files appear whole, by renaming. A file that is sound and that the driver
/// cannot use may still end the process; the next one finds a ``LoadMarker`` and compiles everything anew.
package struct ProgramCache: Sendable {
  /// Where the files lie.
  package let directory: String
  private let standing = Once()

  /// What this process found when it first looked at the directory.
  private struct Standing {
    /// An earlier process ended while its driver was at work on a binary.
    let isDistrusted: Bool
    let generation: Int
  }

  private final class Once: Sendable {
    let standing = Mutex<Standing?>(nil)
  }

  /// A cache in `directory`, made with its parents at the first store.
  package init(directory: String) { self.directory = directory }

  /// An earlier process ended while its driver was at work on a binary of this cache. Which of them were at fault is not
  /// certain, so none is loaded in this process; those that it compiles take their place.
  package var isDistrusted: Bool { currentStanding.isDistrusted }

  /// How often a process has found the cache distrusted. Programs are compiled with it as an option: PoCL puts what it
  /// loads into a cache of its own, by source and options, and would take the same broken parts from there for a program
  /// that is compiled anew.
  var generation: Int { currentStanding.generation }

  private var currentStanding: Standing {
    standing.standing.withLock { known in
      if let known { return known }
      let standing = findStanding()
      known = standing
      return standing
    }
  }

  private func findStanding() -> Standing {
    guard isOwnDirectory(directory) else { return Standing(isDistrusted: false, generation: 0) }
    let path = "\(directory)/generation"
    // First the markers: who finds none because another process has just removed them reads the number it wrote before.
    let leftOver = LoadMarker.leftOver(in: directory)
    let generation = readOwnFile(path).flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0
    guard !leftOver.isEmpty else { return Standing(isDistrusted: false, generation: generation) }
    let next = generation &+ 1
    // Before the markers go: who starts in between must not build with the old number.
    try? replaceOwnFile(path, with: Array("\(next)".utf8))
    for marker in leftOver { LoadMarker.remove(marker) }
    return Standing(isDistrusted: true, generation: next)
  }

  /// Whether binaries are stored also of a driver that keeps what it compiles by itself: with `WEFT_CACHE=always`.
  package static var isForEveryDriver: Bool { environmentVariable("WEFT_CACHE") == "always" }

  /// The user's cache: `$XDG_CACHE_HOME/weft`, else `$HOME/.cache/weft`. Nil, and nothing is cached,
  /// without either or with `WEFT_CACHE=off`.
  package static var standard: ProgramCache? { standard(environment: environmentVariable) }

  /// `standard` in a given environment.
  static func standard(environment: (String) -> String?) -> ProgramCache? {
    guard environment("WEFT_CACHE") != "off" else { return nil }
    // The XDG specification has relative paths ignored.
    if let cache = environment("XDG_CACHE_HOME"), cache.hasPrefix("/") {
      return ProgramCache(directory: "\(cache)/weft")
    }
    if let home = environment("HOME"), home.hasPrefix("/") {
      return ProgramCache(directory: "\(home)/.cache/weft")
    }
    return nil
  }

  /// The binary stored for `key`, if it is there and unharmed.
  func load(_ key: Key) -> [UInt8]? {
    guard isOwnDirectory(directory), let file = readOwnFile(path(of: key)) else { return nil }
    return CacheFile.decode(file, for: key)
  }

  /// The binary stored for `key`, marked as being tried for the first time by this process.
  func loadForTrial(_ key: Key) -> (binary: [UInt8], trial: LoadTrial)? {
    guard !isDistrusted, let binary = load(key) else { return nil }
    return (binary, LoadTrial(of: path(of: key)))
  }

  /// Stores a binary, in place of an earlier one. Does nothing if it cannot.
  func store(_ binary: [UInt8], for key: Key) {
    guard makeDirectory(directory), isOwnDirectory(directory) else { return }
    try? replaceOwnFile(path(of: key), with: CacheFile.encode(binary, for: key))
  }

  func path(of key: Key) -> String { "\(directory)/\(key.fileName)" }
}

// What else is kept beside the programs.
extension ProgramCache {
  /// A file that is there and cannot be used: not the user's alone, no regular file, or too large.
  package struct Unusable: Error {}

  /// The path of a file by its name.
  package func path(named name: String) -> String { "\(directory)/\(name)" }

  /// The content of a file; nil if there is none.
  /// - Throws: `Unusable` for one that is not read.
  package func read(_ name: String) throws(Unusable) -> [UInt8]? {
    let path = path(named: name)
    if isOwnDirectory(directory), let content = readOwnFile(path) { return content }
    var status = stat()
    guard lstat(path, &status) != 0 else { throw Unusable() }
    return nil
  }

  /// Puts a file in place of an earlier one, whole or not at all.
  /// - Throws: `WriteError` if the system refuses, or another user may write in the folder.
  package func write(_ content: [UInt8], to name: String) throws(WriteError) {
    guard makeDirectory(directory), isOwnDirectory(directory) else {
      throw WriteError(path: path(named: name), code: EACCES)
    }
    try replaceOwnFile(path(named: name), with: content)
  }

  /// Removes a file.
  /// - Returns: whether there was one.
  /// - Throws: `WriteError` if it cannot be removed.
  package func remove(_ name: String) throws(WriteError) -> Bool {
    let path = path(named: name)
    if unlink(path) == 0 { return true }
    if errno == ENOENT || errno == ENOTDIR { return false }
    throw WriteError(path: path, code: errno)
  }
}

/// The SHA-256 of texts, as hexadecimal digits: the same for the same list.
package func fingerprint(of texts: [String]) -> String {
  var hash = SHA256()
  for text in texts {
    hash.update(CacheFile.littleEndianBytes(UInt64(text.utf8.count)))
    hash.update(text.utf8)
  }
  return hash.finalize().hexadecimal
}

/// A cached binary in the hands of a driver that may not be able to use it.
final class LoadTrial: Sendable {
  private struct State {
    var marker: LoadMarker?
    var isSettled = false
  }

  private let path: String
  private let state: Mutex<State>

  init(of path: String) {
    self.path = path
    state = Mutex(State(marker: LoadMarker.mark(path)))
  }

  /// The driver can use the binary.
  func pass() { state.withLock { $0 = State(isSettled: true) } }

  /// It cannot: the file goes, and the next process compiles. What has passed before stays.
  func fail() {
    state.withLock { state in
      if !state.isSettled { unlink(path) }
      state = State(isSettled: true)
    }
  }
}

extension ProgramCache {
  /// Names one binary: everything that decides what the compiler would produce, hashed.
  struct Key: Hashable, Sendable {
    /// SHA-256 of the fields.
    let digest: [UInt8]

    /// The key of one source compiled for one device.
    init(source: String, options: [String], device: Device) {
      self.init(
        source: source, options: Recipe.language + options, platformName: device.platformName,
        platformVersion: device.platformVersion, deviceName: device.name,
        driverVersion: device.driverVersion)
    }

    /// The key of the fields themselves.
    init(
      source: String, options: [String], platformName: String, platformVersion: String,
      deviceName: String, driverVersion: String, format: UInt32 = CacheFile.format
    ) {
      var fields = SHA256()
      // Lengths come first, so that no two different lists of fields hash the same bytes.
      func append(_ number: UInt64) {
        fields.update(CacheFile.littleEndianBytes(number))
      }
      func append(_ text: String) {
        append(UInt64(text.utf8.count))
        fields.update(text.utf8)
      }
      append(UInt64(format))
      append(platformName)
      append(platformVersion)
      append(deviceName)
      append(driverVersion)
      append(UInt64(options.count))
      for option in options { append(option) }
      append(source)
      digest = fields.finalize()
    }

    /// The name of the file that holds the binary.
    var fileName: String { "\(digest.hexadecimal).weftbin" }
  }
}

/// The layout of a cached binary; numbers are little-endian.
///
///     offset  bytes
///          0      8  magic "WEFTCLBN"
///          8      4  format number
///         12     32  key: a file that was renamed or copied is not taken for another
///         44      8  length of the payload
///         52     32  SHA-256 of the payload
///         84         payload
enum CacheFile {
  /// Increase when the layout changes: older files become misses.
  static let format: UInt32 = 1
  static let headerByteCount = 84

  private static let magic = Array("WEFTCLBN".utf8)

  /// The whole file for `payload`.
  static func encode(_ payload: [UInt8], for key: ProgramCache.Key) -> [UInt8] {
    magic + littleEndianBytes(format) + key.digest + littleEndianBytes(UInt64(payload.count))
      + SHA256.hash(payload) + payload
  }

  /// The payload; nil unless every byte is as `encode` wrote it for this key.
  static func decode(_ file: [UInt8], for key: ProgramCache.Key) -> [UInt8]? {
    guard file.count > headerByteCount else { return nil }
    let payload = Array(file[headerByteCount...])
    let expected = magic + littleEndianBytes(format) + key.digest
    guard file.starts(with: expected) else { return nil }
    let length = littleEndianBytes(UInt64(payload.count))
    guard file[44..<52].elementsEqual(length) else { return nil }
    guard file[52..<headerByteCount].elementsEqual(SHA256.hash(payload)) else { return nil }
    return payload
  }

  static func littleEndianBytes<Word: FixedWidthInteger>(_ word: Word) -> [UInt8] {
    withUnsafeBytes(of: word.littleEndian, Array.init)
  }
}

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

// Files that only the user may touch: a cached binary runs with the user's rights, so one that
// another user could have written is never read. Every failure is a plain "no".

/// The value of an environment variable; nil if unset.
package func environmentVariable(_ name: String) -> String? {
  guard let value = getenv(name) else { return nil }
  return String(cString: value)
}

/// Makes a directory and its parents for the user alone.
///
/// - Returns: whether something by that name exists now.
func makeDirectory(_ path: String) -> Bool {
  if mkdir(path, 0o700) == 0 || errno == EEXIST { return true }
  guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
    return false
  }
  guard makeDirectory(String(path[..<slash])) else { return false }
  return mkdir(path, 0o700) == 0 || errno == EEXIST
}

/// `path` is a directory of the user's, in which no other user may write.
func isOwnDirectory(_ path: String) -> Bool {
  var status = stat()
  guard stat(path, &status) == 0 else { return false }
  return status.st_mode & S_IFMT == S_IFDIR && isPrivate(status)
}

/// The content of a regular file of the user's that no other user may write.
func readOwnFile(_ path: String) -> [UInt8]? {
  // Not blocking: a pipe in the file's place must not hold the program up.
  let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
  guard descriptor >= 0 else { return nil }
  defer { close(descriptor) }
  var status = stat()
  guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, isPrivate(status),
    (0...sizeLimit).contains(Int(status.st_size))
  else { return nil }
  var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
  var done = 0
  while done < bytes.count {
    let count = bytes.withUnsafeMutableBytes {
      read(descriptor, $0.baseAddress?.advanced(by: done), $0.count - done)
    }
    if count < 0 && errno == EINTR { continue }
    guard count > 0 else { return nil }
    done += count
  }
  return bytes
}

/// Puts a file that only the user may read in place of `path`, whole or not at all.
///
/// It does not wait for the disk: after a crash of the machine the file may be damaged, which its hash reveals.
func replaceOwnFile(_ path: String, with bytes: [UInt8]) throws(WriteError) {
  let file = try ReplacingFile(path, permissions: 0o600, isDurable: false)
  try file.write(bytes)
  try file.commit()
}

private func isPrivate(_ status: stat) -> Bool {
  status.st_uid == geteuid() && status.st_mode & (S_IWGRP | S_IWOTH) == 0
}

/// Larger files, in bytes, are not read: no cache file is that large.
private let sizeLimit = 1 << 28
