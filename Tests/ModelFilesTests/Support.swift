import Foundation
import ModelFiles

/// A directory of a test's own, removed with everything in it when the object goes.
final class Scratch: Sendable {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("model-files-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of a file in the directory.
  func file(_ name: String) -> String { "\(path)/\(name)" }

  /// Writes a file.
  /// - Returns: Its path.
  @discardableResult
  func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
    return file(name)
  }

  /// Writes a text file.
  /// - Returns: Its path.
  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    try write(name, Array(text.utf8))
  }
}

/// Runs `body`, which must throw a `ModelFileError`.
/// - Returns: The error; `nil` if something else happened.
func failure<Result>(of body: () throws -> Result) -> ModelFileError? {
  do {
    _ = try body()
    return nil
  } catch {
    return error as? ModelFileError
  }
}

/// Random numbers that are the same in every run (SplitMix64).
struct Seeded: RandomNumberGenerator {
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

/// Where tests find data.
enum Places {
  private static let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()

  /// The goldens stored with these tests.
  static let goldens = here.appendingPathComponent("Goldens").path

  /// Data that are too large for the repository: a folder `shared` beside the package's root. Tests
  /// that need it are skipped where it is absent.
  static let shared: String? = {
    var folder = here
    while folder.path != "/" {
      folder.deleteLastPathComponent()
      if exists(folder.appendingPathComponent("Package.swift").path) {
        let shared = folder.deletingLastPathComponent().appendingPathComponent("shared").path
        return exists(shared) ? shared : nil
      }
    }
    return nil
  }()

  /// Whether a file of the shared folder is there.
  static func hasShared(_ path: String) -> Bool { shared.map { exists("\($0)/\(path)") } ?? false }

  private static func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: path)
  }
}
