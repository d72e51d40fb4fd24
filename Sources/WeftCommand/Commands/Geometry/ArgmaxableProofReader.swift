import Geometry
import ModelFiles

/// A line of a file of proofs.
struct NumberedProof {
  let line: Int
  let proof: ClassProof
}

/// Reads a file of proofs. Its last line is left out where it has no end: a process was killed while writing it.
struct ArgmaxableProofReader {
  let header: ArgmaxableProofHeader
  /// Bytes up to the end of the last whole line that was read.
  private(set) var wholeBytes: Int
  private let path: String
  private let content: [UInt8]
  private var line = 1

  /// Opens a file; nil if there is no such file, or nothing in it but a part of the header that is expected.
  /// - Throws: `ModelFileError` if it cannot be read, or is no file of proofs.
  static func open(
    _ path: String, expecting expected: ArgmaxableProofHeader
  ) throws(ModelFileError) -> ArgmaxableProofReader? {
    guard fileExists(path) else { return nil }
    let content = try fileContent(path)
    guard let end = content.firstIndex(of: UInt8(ascii: "\n")) else {
      guard expected.isCut(to: content) else {
        throw ModelFileError(file: path, problem: "is no file of proofs; give another name")
      }
      return nil
    }
    let header: ArgmaxableProofHeader
    do { header = try ArgmaxableProofHeader(Array(content[..<end]), of: path) } catch {
      throw ModelFileError(file: path, problem: "is no file of proofs (\(error.problem)); give another name")
    }
    return ArgmaxableProofReader(header: header, path: path, content: content, wholeBytes: end + 1)
  }

  private init(header: ArgmaxableProofHeader, path: String, content: [UInt8], wholeBytes: Int) {
    (self.header, self.path, self.content, self.wholeBytes) = (header, path, content, wholeBytes)
  }

  /// The next proofs, `count` at most; empty at the end. Lines that are no proofs are handed to `fault`.
  mutating func next(_ count: Int, fault: (_ line: Int, String) throws -> Void) throws -> [NumberedProof] {
    var proofs: [NumberedProof] = []
    while proofs.count < count, let end = content[wholeBytes...].firstIndex(of: UInt8(ascii: "\n")) {
      line += 1
      do throws(ModelFileError) {
        let proof = try ArgmaxableProofLine.read(Array(content[wholeBytes..<end]), of: path)
        proofs.append(NumberedProof(line: line, proof: proof))
      } catch {
        try fault(line, error.subject.map { "\($0): \(error.problem)" } ?? error.problem)
      }
      wholeBytes = end + 1
    }
    return proofs
  }

  /// Whether bytes without an end of line follow what was read.
  var isCut: Bool { wholeBytes < content.count }
}
