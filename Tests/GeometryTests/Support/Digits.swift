import Foundation
import Geometry
import ModelFiles

/// The handwritten digits that come with the package: whole numbers from 0 to 16, 64 a digit.
enum Digits {
  static func vectors() throws -> [Float] {
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { root.deleteLastPathComponent() }
    return try NumPyArray(path: root.appendingPathComponent("Examples/digits.npy").path).values
  }
}
