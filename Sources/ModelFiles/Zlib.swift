internal import CZlib

/// A CRC-32 of bytes that come in parts (ISO 3309, as in zlib and ZIP archives). It detects damage and change, not
/// manipulation.
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

  /// Adds more bytes.
  package mutating func add(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress else { return }
    value = UInt32(crc32_z(uLong(value), base.assumingMemoryBound(to: Bytef.self), bytes.count))
    count += bytes.count
  }

  /// Adds the bytes of integers, little endian.
  package mutating func add<Number: FixedWidthInteger & BitwiseCopyable>(_ numbers: [Number]) {
    numbers.map(\.littleEndian).withUnsafeBytes { add($0) }
  }

  /// Adds a text as UTF-8, and a zero that ends it.
  package mutating func add(_ text: String) { add(Array(text.utf8) + [0]) }

  /// Adds another checksum's value, and its bytes to the count.
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

/// Decompression of raw deflate streams (RFC 1951) through zlib.
enum Inflate {
  /// Why a stream cannot be used, as the rest of a sentence.
  struct Failure: Error { let problem: String }

  /// Deflate's best ratio: a run of 258 bytes takes two bits at least. A stream that claims more is not believed, so
  /// that a damaged size cannot ask for terabytes.
  static let bestRatio = 1_032

  /// zlib counts in 32 bits.
  private static let step = 1 << 30

  /// The first `count` bytes of a stream's content.
  /// - Parameters:
  ///   - stream: the compressed bytes.
  ///   - count: how many bytes are wanted.
  ///   - isWhole: whether the content must end there.
  /// - Returns: `count` bytes.
  /// - Throws: `Failure` if the stream is damaged, too short, or, where that was asked for, too long.
  static func bytes(
    of stream: UnsafeRawBufferPointer, count: Int, isWhole: Bool
  ) throws(Failure) -> [UInt8] {
    var z = z_stream()
    guard weft_inflate_raw(&z) == Z_OK else { throw Failure(problem: "cannot be decompressed: no memory") }
    defer { inflateEnd(&z) }
    var output = [UInt8](repeating: 0, count: count)
    var (taken, made) = (0, 0)
    var status = Z_OK
    // Room for one byte more than expected shows a stream that goes on.
    var surplus: UInt8 = 0
    while status == Z_OK {
      let input = min(stream.count - taken, step)
      let room = min(count - made, step)
      z.next_in = stream.baseAddress.map {
        UnsafeMutablePointer(mutating: ($0 + taken).assumingMemoryBound(to: Bytef.self))
      }
      z.avail_in = uInt(input)
      if room > 0 {
        status = output.withUnsafeMutableBufferPointer { buffer in
          z.next_out = buffer.baseAddress.map { $0 + made }
          z.avail_out = uInt(room)
          return inflate(&z, Z_NO_FLUSH)
        }
        made += room - Int(z.avail_out)
      } else if isWhole {
        status = withUnsafeMutablePointer(to: &surplus) { place in
          z.next_out = place
          z.avail_out = 1
          return inflate(&z, Z_NO_FLUSH)
        }
        guard z.avail_out == 1 else { throw Failure(problem: "is longer than the archive says") }
      } else {
        return output
      }
      taken += input - Int(z.avail_in)
    }
    // Z_BUF_ERROR: neither input nor room was left, and the stream had not ended.
    guard status == Z_STREAM_END || status == Z_BUF_ERROR else { throw Failure(problem: "is damaged") }
    guard made == count, !isWhole || status == Z_STREAM_END && taken == stream.count else {
      throw Failure(problem: "is shorter than the archive says")
    }
    return output
  }

  /// The CRC-32 of some bytes, as ZIP archives store it.
  static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var checksum = Checksum()
    checksum.add(bytes)
    return checksum.value
  }
}
