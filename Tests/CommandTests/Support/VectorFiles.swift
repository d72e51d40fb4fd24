import Foundation
import ModelFiles

/// A folder with vectors in files of several kinds.
struct VectorFiles {
  /// Five tips around a middle, the last.
  static let star: [Float] = [3, 0, 0.958, 2.948, -2.589, 1.881, -2.67, -1.94, 1.051, -3.234, 0, 0]
  /// Sixty points without a pattern.
  static let points: [Float] = (0..<180).map { (index: Int) -> Float in
    Float((index * index * 37 + index * 11) % 101 - 50)
  }

  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try write("star.npy", Self.star, [6, 2])
    try write("points.npy", Self.points, [60, 3])
    let doubles = Self.points.map(Double.init).withUnsafeBytes { Array($0) }
    let text = "{'descr': '<f8', 'fortran_order': False, 'shape': (60, 3), }\n"
    let header: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8)
    _ = try folder.file("doubles.npy", header + doubles)
    var file = SafetensorsWriter()
    file.add("points", floats: Self.points, shape: [60, 3])
    file.add("double", StoredTensor(type: .float64, shape: [60, 3], bytes: doubles))
    file.add("cube", floats: [Float](repeating: 1, count: 8), shape: [2, 2, 2])
    file.add("ids", integers: [1, 2, 3, 4], shape: [2, 2])
    try file.write(to: folder.path + "/model.safetensors")
  }

  func write(_ name: String, _ values: [Float], _ shape: [Int]) throws {
    _ = try folder.file(name, NumPyWriter.file(values, shape: shape))
  }

  func array(_ name: String) throws -> NumPyArray { try NumPyArray(path: folder.path + "/" + name) }

  func bytes(_ name: String) -> Data? { FileManager.default.contents(atPath: folder.path + "/" + name) }
}
