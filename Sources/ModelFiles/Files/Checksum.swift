internal import CZlib

/// A CRC-32 of bytes that come in parts (ISO 3309, as zlib and ZIP archives have it): it tells damage and change, not
/// malice.
package struct Checksum: Sendable, Hashable {
  /// The checksum of all bytes so far; 0 of none.
  package private(set) var value: UInt32 = 0
  /// How many bytes there were.
  package private(set) var count = 0

  /// Of no bytes yet.
  package init() {}

  /// Of a whole file.
  /// - Throws: `ModelFileError` if it cannot be read.
  package init(ofFile path: String) throws(ModelFileError) {
    let file = try MappedFile(path: path)
    self.init()
    file.withBytes { add($0) }
  }

  /// Goes on with more bytes.
  package mutating func add(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress else { return }
    value = UInt32(crc32_z(uLong(value), base.assumingMemoryBound(to: Bytef.self), bytes.count))
    count += bytes.count
  }

  /// Goes on with the bytes of integers, little endian.
  package mutating func add<Number: FixedWidthInteger & BitwiseCopyable>(_ numbers: [Number]) {
    numbers.map(\.littleEndian).withUnsafeBytes { add($0) }
  }

  /// Goes on with a text as UTF-8, and a zero that ends it.
  package mutating func add(_ text: String) { add(Array(text.utf8) + [0]) }

  /// Goes on with what another checksum says of its bytes.
  package mutating func add(_ other: Checksum) {
    add([other.value])
    count += other.count - 4
  }

  /// Eight hexadecimal digits.
  package var hexadecimal: String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }
}
