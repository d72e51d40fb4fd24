import Diffusion
import Foundation
import Weft

/// Files of Γ, as `GammaTable.json` writes them.
enum GammaFile {
  /// - Throws: `InputError` if the file cannot be read; `ModelFileError` if it holds something else.
  static func read(_ path: String) throws -> GammaTable {
    guard let file = FileDescriptor(opening: path, flags: O_RDONLY) else {
      throw InputError(path: path, reason: lastErrorText())
    }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = part.withUnsafeMutableBytes { file.read(into: $0) }
      guard count >= 0 else { throw InputError(path: path, reason: lastErrorText()) }
      if count == 0 { break }
      bytes += part[..<count]
    }
    do { return try GammaTable(json: String(decoding: bytes, as: UTF8.self)) } catch {
      throw ModelFileError(file: path, problem: error.message)
    }
  }
}
