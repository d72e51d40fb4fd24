import Foundation
import Geometry
import ModelFiles

/// Appends proofs to a file, a whole line at a time.
struct ArgmaxableProofWriter {
  private let path: String
  private let descriptor: FileDescriptor

  /// Opens the file, new or with what it holds, and keeps other runs from writing it.
  /// - Throws: `OutputError` if it cannot be written; `ModelFileError` if another run writes it.
  init(path: String) throws {
    self.path = path
    guard let descriptor = FileDescriptor(opening: path, flags: O_RDWR | O_CREAT | O_APPEND) else {
      throw OutputError(path: path, code: errno)
    }
    self.descriptor = descriptor
    guard flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0 else {
      throw ModelFileError(file: path, problem: "another run is writing it; give another name or wait for its end")
    }
  }

  /// Cuts the file to its whole lines; a new one gets its header.
  func start(keeping bytes: Int, header: ArgmaxableProofHeader) throws {
    guard ftruncate(descriptor.rawValue, off_t(bytes)) == 0 else { throw OutputError(path: path, code: errno) }
    guard bytes == 0 else { return }
    var writer = JSONWriter()
    header.write(to: &writer)
    try write(writer.bytes)
  }

  func append(_ proofs: [ClassProof]) throws {
    var writer = JSONWriter()
    for proof in proofs { ArgmaxableProofLine.write(proof, to: &writer) }
    try write(writer.bytes)
  }

  private func write(_ bytes: [UInt8]) throws {
    let code = descriptor.writeAll(bytes)
    if code != 0 { throw OutputError(path: path, code: code) }
  }
}
