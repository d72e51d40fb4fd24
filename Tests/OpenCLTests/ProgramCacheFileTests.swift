import Foundation
import Testing

@testable import OpenCL

/// The cache without a device: whatever is wrong with a file, it is a miss.
@Suite struct ProgramCacheFileTests {
  private let payload = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 37) }
  private let key = ProgramCache.Key(
    source: "source", options: [], platformName: "p", platformVersion: "v", deviceName: "d",
    driverVersion: "r")
  private let otherKey = ProgramCache.Key(
    source: "other", options: [], platformName: "p", platformVersion: "v", deviceName: "d",
    driverVersion: "r")

  /// Calls `body` with a cache that holds `payload`, and the path of its file.
  private func withFilledCache(_ body: (ProgramCache, String) async throws -> Void) async throws {
    try await withTemporaryDirectory { directory in
      let cache = ProgramCache(directory: directory + "/a/b")
      cache.store(payload, for: key)
      try await body(cache, cache.path(of: key))
    }
  }

  private func overwrite(_ path: String, with bytes: [UInt8]) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  }

  private func mode(of path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
  }

  private func setMode(_ mode: Int, of path: String) throws {
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
  }

  @Test func whatIsStoredIsLoaded() async throws {
    try await withFilledCache { cache, _ in
      #expect(cache.load(key) == payload)
      #expect(cache.load(otherKey) == nil)
      cache.store([1], for: key)
      #expect(cache.load(key) == [1])
    }
  }

  @Test func filesAreTheUsersAlone() async throws {
    try await withFilledCache { cache, path in
      #expect(try mode(of: path) == 0o600)
      #expect(try mode(of: cache.directory) == 0o700)
      let files = try FileManager.default.contentsOfDirectory(atPath: cache.directory)
      #expect(files == [key.fileName], "no temporary file stays behind")
    }
  }

  @Test func truncatedAnywhere() async throws {
    try await withFilledCache { cache, path in
      let whole = CacheFile.encode(payload, for: key)
      for length in stride(from: 0, to: whole.count, by: 37) {
        try overwrite(path, with: Array(whole[..<length]))
        #expect(cache.load(key) == nil, "\(length) bytes")
      }
      try overwrite(path, with: whole + [0])
      #expect(cache.load(key) == nil, "one byte too many")
      try overwrite(path, with: whole)
      #expect(cache.load(key) == payload)
    }
  }

  @Test func everyFlippedBitIsNoticed() {
    let whole = CacheFile.encode(payload, for: key)
    #expect(CacheFile.decode(whole, for: key) == payload)
    for index in whole.indices where index < CacheFile.headerByteCount || index % 5 == 0 {
      var damaged = whole
      damaged[index] ^= 1 << UInt8(index % 8)
      #expect(CacheFile.decode(damaged, for: key) == nil, "byte \(index)")
    }
  }

  @Test func aRenamedFileIsNotTakenForAnother() async throws {
    try await withFilledCache { cache, path in
      try FileManager.default.copyItem(atPath: path, toPath: cache.path(of: otherKey))
      #expect(cache.load(otherKey) == nil)
    }
  }

  @Test(arguments: [0o620, 0o602, 0o666])
  func aFileOthersMayWriteIsIgnored(mode: Int) async throws {
    try await withFilledCache { cache, path in
      try setMode(mode, of: path)
      #expect(cache.load(key) == nil)
      cache.store(payload, for: key)
      #expect(cache.load(key) == payload, "and replaced")
    }
  }

  @Test func aDirectoryOthersMayWriteIsIgnored() async throws {
    try await withFilledCache { cache, _ in
      try setMode(0o777, of: cache.directory)
      #expect(cache.load(key) == nil)
    }
  }

  @Test(.enabled(if: geteuid() == 0, "only root can give files away"))
  func aForeignFileIsIgnored() async throws {
    try await withFilledCache { cache, path in
      #expect(chown(path, 65534, 65534) == 0)
      #expect(cache.load(key) == nil)
    }
  }

  @Test func onlyRegularFilesAreRead() async throws {
    try await withFilledCache { cache, path in
      let moved = path + ".moved"
      try FileManager.default.moveItem(atPath: path, toPath: moved)
      try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: moved)
      #expect(cache.load(key) == nil, "a link")
      unlink(path)
      #expect(mkfifo(path, 0o600) == 0)
      #expect(cache.load(key) == nil, "a pipe")
      unlink(path)
      #expect(mkdir(path, 0o700) == 0)
      #expect(cache.load(key) == nil, "a directory")
      cache.store(payload, for: key)
      #expect(cache.load(key) == nil, "which cannot be replaced")
      let files = try FileManager.default.contentsOfDirectory(atPath: cache.directory)
      #expect(files.count == 2, "no temporary file stays behind")
    }
  }

  @Test func aDirectoryThatCannotBeMadeIsAMiss() async throws {
    try await withTemporaryDirectory { directory in
      try overwrite(directory + "/file", with: [])
      let cache = ProgramCache(directory: directory + "/file/cache")
      cache.store(payload, for: key)
      #expect(cache.load(key) == nil)
    }
  }

  @Test(.enabled(if: geteuid() != 0, "root may write anywhere"))
  func aDirectoryWithoutPermissionIsAMiss() async throws {
    try await withTemporaryDirectory { directory in
      try setMode(0o500, of: directory)
      let cache = ProgramCache(directory: directory)
      cache.store(payload, for: key)
      #expect(cache.load(key) == nil)
      try setMode(0o700, of: directory)
    }
  }

  @Test func manyWritersOfOneFile() async throws {
    try await withTemporaryDirectory { directory in
      let cache = ProgramCache(directory: directory + "/shared")
      await withTaskGroup { group in
        for _ in 0..<8 {
          group.addTask {
            for _ in 0..<20 {
              cache.store(payload, for: key)
              #expect(cache.load(key) == payload)
            }
          }
        }
      }
    }
  }

  @Test(
    arguments: [
      (["XDG_CACHE_HOME": "/x", "HOME": "/h"], "/x/weft"),
      (["HOME": "/h"], "/h/.cache/weft"),
      (["XDG_CACHE_HOME": "", "HOME": "/h"], "/h/.cache/weft"),
      (["XDG_CACHE_HOME": "relative", "HOME": "/h"], "/h/.cache/weft"),
      (["XDG_CACHE_HOME": "/x", "WEFT_CACHE": "off"], nil),
      (["XDG_CACHE_HOME": "/x", "WEFT_CACHE": "on"], "/x/weft"),
      (["HOME": ""], nil),
      ([:], nil),
    ] as [([String: String], String?)])
  func theEnvironmentDecidesWhere(environment: [String: String], directory: String?) {
    #expect(ProgramCache.standard { environment[$0] }?.directory == directory)
  }
}
