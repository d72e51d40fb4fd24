import Foundation
import Testing

@testable import OpenCL

/// Compiled kernels on disk that the driver cannot use although their checksums are right, and compilers that cannot
/// write.
@Suite(.enabled(if: Places.hasDevice, "needs an OpenCL device"))
struct DamagedCacheTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private var cache: String { folder.path + "/cache" }
  /// Where the driver keeps files of its own.
  private var driver: String { folder.path + "/driver" }

  /// A command that needs one kernel only and knows the right result.
  private static let arguments = ["conformance", "--device", "opencl", "--filter", "layer normalisation"]

  private func run(_ environment: [String: String?] = [:]) async throws -> CommandRun {
    var variables: [String: String?] = ["WEFT_CACHE": "always", "XDG_CACHE_HOME": cache, "POCL_CACHE_DIR": driver]
    for (name, value) in environment { variables[name] = value }
    return try await Weft.run(Self.arguments, environment: variables, directory: folder.path)
  }

  private var names: [String] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: cache + "/weft")) ?? []
    return files.filter { $0 != "generation" }.sorted()
  }

  /// Changes each binary, and makes the checksum fit again.
  private func damage(_ change: (inout [UInt8]) -> Void) throws {
    for name in names {
      let url = URL(filePath: "\(cache)/weft/\(name)")
      let file = Array(try Data(contentsOf: url))
      var payload = Array(file[CacheFile.headerByteCount...])
      change(&payload)
      let length = CacheFile.littleEndianBytes(UInt64(payload.count))
      try Data(file[..<44] + length + SHA256.hash(payload) + payload).write(to: url)
    }
  }

  /// What each kind of damage does to a binary. PoCL ends the process over most of them.
  static let damages: [(String, @Sendable (inout [UInt8]) -> Void)] = [
    ("cut short", { $0.removeLast($0.count / 2) }),
    ("overwritten", { for i in stride(from: 300, to: $0.count, by: 7) { $0[i] = $0[i] &* 5 &+ 3 } }),
    ("zeros", { for i in $0.count / 3..<$0.count { $0[i] = 0 } }),
    ("no binary", { $0 = Array("not a binary of any driver".utf8) }),
  ]

  @Test func theSecondRunDoesWithoutThem() async throws {
    let plain = try await run()
    try #require(plain.status == 0 && !names.isEmpty, "\(plain.errorText)")
    let stored = names
    for (kind, change) in Self.damages {
      try damage(change)
      // The driver's own copies of the binaries.
      try? FileManager.default.removeItem(atPath: driver)
      let first = try await run()
      if first.status == 0 { #expect(first.output == plain.output, "\(kind)") }
      let second = try await run()
      #expect(
        second.status == 0 && second.output == plain.output, "\(kind), after \(first.status): \(second.errorText)")
      let third = try await run()
      #expect(third.status == 0 && third.output == plain.output, "\(kind): \(third.errorText)")
      #expect(names == stored, "\(kind): the binaries are there again, and nothing else")
    }
  }

  /// The limit on a file's size stands for a full disk.
  @Test func aCompilerThatCannotWriteSaysWhatToDo() async throws {
    let run = try await Weft.shell(
      "ulimit -f 8; exec $WEFT conformance --device opencl --filter 'layer normalisation'",
      environment: ["WEFT_CACHE": "off", "POCL_CACHE_DIR": driver], directory: folder.path)
    // The compiler ends the program, or the case is reported as failed.
    let words = run.text + run.errorText
    #expect(run.status == 1)
    #expect(words.contains("POCL_CACHE_DIR") && words.contains(driver), "\(words)")
  }

  /// PoCL then says that there is no device, and not why.
  @Test func aFolderThatCannotBeMadeIsNamed() async throws {
    let run = try await run(["POCL_CACHE_DIR": "/dev/null/driver"])
    // A driver that does not need the folder works without it.
    if run.status == 0 { return }
    #expect(run.status == 1 && run.complaints.count == 1)
    #expect(run.errorText.contains("/dev/null/driver") && run.errorText.contains("POCL_CACHE_DIR"), "\(run.errorText)")
  }

  /// A disk of 64 KiB, until the value goes.
  private final class SmallDisk {
    private let folder: TemporaryFolder
    var path: String { folder.path }

    init?() {
      guard let folder = try? TemporaryFolder(), mount("tmpfs", folder.path, "tmpfs", 0, "size=64k") == 0 else {
        return nil
      }
      self.folder = folder
    }

    deinit { umount(folder.path) }
  }

  private static let canMount = SmallDisk() != nil

  @Test(.enabled(if: canMount, "needs the right to mount a file system"))
  func aFullDiskIsNamed() async throws {
    let disk = try #require(SmallDisk())
    let run = try await run(["WEFT_CACHE": "off", "POCL_CACHE_DIR": disk.path + "/driver"])
    #expect(run.status == 1 && run.output.isEmpty)
    #expect(run.complaints.filter { $0.hasPrefix("Error: ") }.count == 1, "\(run.errorText)")
    #expect(run.errorText.contains("KiB left") && run.errorText.contains("POCL_CACHE_DIR"), "\(run.errorText)")
  }
}
