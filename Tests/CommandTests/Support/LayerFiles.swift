import Foundation
import ModelFiles

@testable import WeftCommand

/// A folder with a checkpoint of small layers.
struct LayerFiles {
  /// (1, 1) is inside the hull of the other four.
  static let square: [Float] = [1, 2, 2, 1, 1, 0, 0, 1, 1, 1]

  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    var file = SafetensorsWriter()
    file.add("square", floats: Self.square, shape: [5, 2])
    file.add("other", floats: Self.square.map { $0 + 1 }, shape: [5, 2])
    file.add("square.bias", floats: [0, 0, 0, 0, 1], shape: [5])
    file.add("short.bias", floats: [0, 0, 0], shape: [3])
    file.add("line", floats: [0, 1, 2], shape: [3, 1])
    file.add("line.bias", floats: [0, -10, -30], shape: [3])
    file.add("twins", floats: [1, 0, 0, 1, 1, 0, -1, -1, 0, 0, 0, 0], shape: [6, 2])
    // 0.1 · h - 0.5 is more than 0.0999 · h where h is more than 5000.
    file.add("near", floats: [-4, 0.1, 0.0999], shape: [3, 1])
    file.add("near.bias", floats: [0, -0.5, 0], shape: [3])
    // Class 1 reaches class 0 where h is 0.75.
    file.add("edge", floats: [1, 1.5, -4], shape: [3, 1])
    file.add("edge.bias", floats: [0.375, 0, 0], shape: [3])
    // Two copies below a third class with the same vector.
    file.add("copies", floats: [1, 1, 1, -1], shape: [4, 1])
    file.add("copies.bias", floats: [0, -0.0, 1, 0], shape: [4])
    file.add("cube", floats: [Float](repeating: 1, count: 8), shape: [2, 2, 2])
    file.add("nan", floats: [1, 2, 3, .nan], shape: [2, 2])
    file.add("infinite.bias", floats: [0, 0, 0, -.infinity, 0], shape: [5])
    file.add("indices", integers: [1, 2, 3, 4], shape: [2, 2])
    // The last class is halfway between the others but for a bit that float32 does not hold.
    let halfway = [1, 2, 2, 1, 1.5, 1.5 + 0x1p-51]
    let bytes = halfway.flatMap { number in withUnsafeBytes(of: number.bitPattern.littleEndian) { Array($0) } }
    file.add("double", StoredTensor(type: .float64, shape: [3, 2], bytes: bytes))
    file.add("half", floats: Self.square, shape: [5, 2], as: .float16)
    try file.write(to: folder.path + "/model.safetensors")
    try write("vocab.txt", "left\nright\nlow\nhigh\nmiddle\n")
  }

  /// Classes of the large layer.
  static let largeCount = 2600
  /// Those of them that can never win.
  static let planted = [0, 1300, 2599]

  /// A layer in `large.safetensors` that takes seconds: normal numbers, with three classes moved half way from another
  /// class to the mean of all.
  func writeLargeLayer() throws {
    let dimension = 24
    var numbers = normalNumbers(Self.largeCount * dimension, seed: 3)
    for (offset, row) in Self.planted.enumerated() {
      for column in 0..<dimension {
        let sum = (0..<Self.largeCount).filter { !Self.planted.contains($0) }
          .reduce(0.0) { $0 + Double(numbers[$1 * dimension + column]) }
        let mean = sum / Double(Self.largeCount - Self.planted.count)
        numbers[row * dimension + column] = Float((mean + Double(numbers[(7 + offset) * dimension + column])) / 2)
      }
    }
    var file = SafetensorsWriter()
    file.add("large", floats: numbers, shape: [Self.largeCount, dimension])
    try file.write(to: folder.path + "/large.safetensors")
  }

  func write(_ name: String, _ text: String) throws { _ = try folder.file(name, text.utf8) }

  /// Lines of a file, its header first.
  func lines(_ name: String) throws -> [String] {
    (folder.contents(of: name) ?? "").split(separator: "\n").map(String.init)
  }

  /// Runs `weft argmaxable` here on the reference device.
  func argmaxable(_ arguments: String...) async throws -> CommandRun {
    try await Weft.run(
      ["argmaxable", "--device", "cpu", "model.safetensors"] + arguments, directory: folder.path)
  }
}
