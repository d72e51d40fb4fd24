import Foundation
import ModelFiles

/// A folder with small data sets, and a look at what a run leaves there.
struct SampleFiles {
  /// Points of a ring, off the origin.
  static let ring: [Float] = (0..<12).flatMap { index in
    let angle = Float(index) * .pi / 6
    return [30 + 4 * cosf(angle), -7 + 4 * sinf(angle)]
  }

  /// Five grey images of 3 × 4 with numbers of 0 to 200.
  static let images: [Float] = (0..<60).map { Float($0 * 37 % 11 * 20) }

  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try write("ring.npy", Self.ring, [12, 2])
    try write("images.npy", Self.images, [5, 3, 4])
  }

  func write(_ name: String, _ values: [Float], _ shape: [Int]) throws {
    _ = try folder.file(name, NumPyWriter.file(values, shape: shape))
  }

  /// A file with a header and bytes of a test's own.
  func write(_ name: String, type: String, shape: String, bytes: Int) throws {
    let text = "{'descr': '\(type)', 'fortran_order': False, 'shape': \(shape), }\n"
    let header: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8)
    _ = try folder.file(name, header + [UInt8](repeating: 1, count: bytes))
  }

  func array(_ name: String) throws -> NumPyArray { try NumPyArray(path: folder.path + "/" + name) }

  func bytes(_ name: String) -> Data? { FileManager.default.contents(atPath: folder.path + "/" + name) }

  /// The size that a PNG file says it has.
  func pictureSize(_ name: String) -> [Int]? {
    guard let bytes = bytes(name), bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]), bytes.count > 24 else { return nil }
    return [16, 20].map { start in bytes[start..<start + 4].reduce(0) { $0 << 8 | Int($1) } }
  }

  /// Runs `weft sample` here on the reference device.
  func sample(_ arguments: String...) async throws -> CommandRun {
    try await Weft.run(["sample", "--device", "cpu"] + arguments, directory: folder.path)
  }
}
