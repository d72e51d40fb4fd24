import Foundation

/// A reader of a format: given any bytes it returns or throws, and what it returns is consistent. `run` calls the reader
/// and all that is usually done with what was read. Errors of the format are expected; it throws only if something that
/// must hold does not.
struct FuzzTarget: Sendable {
  /// The folder of the target's corpus, and what it is called on the command line.
  let name: String
  let run: @Sendable (_ input: [UInt8]) throws -> Void

  /// All targets, each beside its like in this folder.
  static let all: [FuzzTarget] = tensors + texts + tokenizers + descriptions + trainings + proofs

  /// Something that must hold does not.
  struct Violation: Error, CustomStringConvertible {
    let description: String
  }

  /// Checks what must hold.
  static func require(_ condition: Bool, _ what: @autoclosure () -> String) throws {
    if !condition { throw Violation(description: what()) }
  }

  /// The input's parts between bytes of zero; empty ones at the end.
  static func parts(_ input: [UInt8], _ count: Int) -> [[UInt8]] {
    let parts = input.split(separator: 0, maxSplits: count - 1, omittingEmptySubsequences: false).map(Array.init)
    return parts + Array(repeating: [], count: count - parts.count)
  }
}

/// Files for readers that take a path: in memory where the system has such a folder, and gone with the object.
final class FuzzFolder {
  let path: String

  init() throws {
    let memory = "/dev/shm"
    let folder = FileManager.default.isWritableFile(atPath: memory) ? memory : NSTemporaryDirectory()
    path = "\(folder)/weft-fuzz-\(UUID().uuidString)"
    guard mkdir(path, 0o700) == 0 else { throw FuzzTarget.Violation(description: "no folder \(path)") }
  }

  deinit {
    for name in written { unlink("\(path)/\(name)") }
    rmdir(path)
  }

  private var written: Set<String> = []

  /// Writes a file.
  /// - Returns: its path.
  func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    let file = "\(path)/\(name)"
    written.insert(name)
    let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    defer { close(descriptor) }
    guard descriptor >= 0, Foundation.write(descriptor, bytes, bytes.count) == bytes.count else {
      throw FuzzTarget.Violation(description: "cannot write \(file)")
    }
    return file
  }
}
