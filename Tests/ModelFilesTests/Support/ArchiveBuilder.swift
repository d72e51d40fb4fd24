import Foundation

/// A ZIP archive of two small arrays, to be broken in one place: what its directory says can be changed apart from
/// what is in it.
struct ArchiveBuilder {
  struct File {
    var name: String
    var bytes: [UInt8] {
      didSet { (storedSize, size, checksum) = (bytes.count, bytes.count, ArchiveBuilder.crc(bytes)) }
    }
    var method = 0
    var flags = 0
    var checksum: UInt32
    var storedSize: Int
    var size: Int
    /// Where the directory says the file is; where it really is if nil.
    var place: Int?

    init(_ name: String, _ bytes: [UInt8]) {
      (self.name, self.bytes, checksum) = (name, bytes, ArchiveBuilder.crc(bytes))
      (storedSize, size) = (bytes.count, bytes.count)
    }
  }

  var files = [
    File("a.npy", Self.array(type: "<f4", shape: "(2,)", bytes: 8)),
    File("b.npy", Self.array(type: "<f4", shape: "(1,)", bytes: 4)),
  ]
  var disk = 0
  var directorySizeError = 0
  /// How many files the directory claims; as many as there are if nil.
  var count: Int?

  var archive: [UInt8] {
    var bytes: [UInt8] = []
    var directory: [UInt8] = []
    for file in files {
      let name = Array(file.name.utf8)
      let numbers =
        little(file.flags, 2) + little(file.method, 2) + little(0, 4) + little(Int(file.checksum), 4)
        + little(file.storedSize, 4) + little(file.size, 4) + little(name.count, 2) + little(0, 2)
      directory += little(0x0201_4B50, 4) + little(45, 2) + little(20, 2) + numbers + little(0, 10)
      directory += little(file.place ?? bytes.count, 4) + name
      bytes += little(0x0403_4B50, 4) + little(20, 2) + numbers + name + file.bytes
    }
    let start = bytes.count
    bytes += directory + little(0x0605_4B50, 4) + little(disk, 2) + little(disk, 2)
    bytes += little(count ?? files.count, 2) + little(count ?? files.count, 2)
    bytes += little(directory.count + directorySizeError, 4) + little(start, 4) + little(0, 2)
    return bytes
  }

  /// An `.npy` file with a header and bytes of a test's own.
  static func array(type: String, shape: String, bytes: Int) -> [UInt8] {
    let text = Array("{'descr': '\(type)', 'fortran_order': False, 'shape': \(shape), }\n".utf8)
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.count), 0] + text + [UInt8](repeating: 1, count: bytes)
  }

  private func little(_ value: Int, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: $0 < 8 ? value >> (8 * $0) : 0) }
  }

  /// CRC-32, bit by bit.
  static func crc(_ bytes: [UInt8]) -> UInt32 {
    var crc = ~UInt32(0)
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 1 ? 0xEDB8_8320 : 0) }
    }
    return ~crc
  }
}
