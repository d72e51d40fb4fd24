/// Compiled programs on disk, so that a second start is quick.
///
/// Any fault at all (a damaged or foreign file, a full disk, no permission) is a miss, never an
/// error. Processes may share a directory: files appear whole, by renaming.
package struct ProgramCache: Sendable {
  /// Where the files lie.
  package let directory: String

  /// A cache in `directory`, made with its parents at the first store.
  package init(directory: String) { self.directory = directory }

  /// The user's cache: `$XDG_CACHE_HOME/weft`, else `$HOME/.cache/weft`. Nil, and nothing is cached,
  /// without either or with `WEFT_CACHE=off`.
  package static var standard: ProgramCache? { standard(environment: environmentVariable) }

  /// `standard` in an environment of one's own.
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

  /// Stores a binary, in place of an earlier one. Does nothing if it cannot.
  func store(_ binary: [UInt8], for key: Key) {
    guard makeDirectory(directory), isOwnDirectory(directory) else { return }
    try? replaceOwnFile(path(of: key), with: CacheFile.encode(binary, for: key))
  }

  func path(of key: Key) -> String { "\(directory)/\(key.fileName)" }
}
