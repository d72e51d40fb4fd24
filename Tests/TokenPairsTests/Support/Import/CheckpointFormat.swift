import Foundation
import ModelFiles

/// A tensor as a test has made it up.
struct NamedArray {
  var name: String
  var values: [Float]
  var shape: [Int]

  /// A matrix the other way round.
  var turned: NamedArray {
    let (rows, columns) = (shape[0], shape[1])
    let values = (0..<columns).flatMap { c in (0..<rows).map { self.values[$0 * columns + c] } }
    return NamedArray(name: name, values: values, shape: [columns, rows])
  }
}

/// The two formats of foreign checkpoints.
enum CheckpointFormat: CaseIterable {
  case safetensors
  case npz

  var fileName: String { self == .npz ? "weights.npz" : "model.safetensors" }

  func write(_ arrays: [NamedArray], to directory: String, half: Bool = false) throws {
    let path = "\(directory)/\(fileName)"
    guard self == .npz else {
      var writer = SafetensorsWriter()
      for array in arrays {
        writer.add(array.name, floats: array.values, shape: array.shape, as: half ? .float16 : .float32)
      }
      return try writer.write(to: path)
    }
    try Data(Self.archive(arrays)).write(to: URL(fileURLWithPath: path))
  }

  /// A ZIP archive of stored arrays, as `np.savez` writes it.
  private static func archive(_ arrays: [NamedArray]) -> [UInt8] {
    var bytes: [UInt8] = []
    var directory: [UInt8] = []
    for array in arrays {
      let name = Array("\(array.name).npy".utf8)
      let content = NumPyWriter.file(array.values, shape: array.shape)
      let numbers =
        little(0, 8) + little(crc(content), 4) + little(content.count, 4) + little(content.count, 4)
        + little(name.count, 2) + little(0, 2)
      directory += little(0x0201_4B50, 4) + little(45, 2) + little(20, 2) + numbers + little(0, 10)
      directory += little(bytes.count, 4) + name
      bytes += little(0x0403_4B50, 4) + little(20, 2) + numbers + name + content
    }
    let start = bytes.count
    bytes += directory + little(0x0605_4B50, 4) + little(0, 4) + little(arrays.count, 2) + little(arrays.count, 2)
    return bytes + little(directory.count, 4) + little(start, 4) + little(0, 2)
  }

  private static func little(_ value: Int, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  /// CRC-32, bit by bit.
  private static func crc(_ bytes: [UInt8]) -> Int {
    var crc = ~UInt32(0)
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 1 ? 0xEDB8_8320 : 0) }
    }
    return Int(~crc)
  }
}
