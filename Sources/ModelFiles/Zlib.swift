internal import CZlib
internal import Memory

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
    let file = try InputFile(path: path)
    self.init()
    try file.forEachPiece(of: 0..<file.count) { add($0) }
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

/// Decompression of a raw deflate stream (RFC 1951) that comes in pieces, through zlib.
final class Inflate {
  /// Deflate's best ratio: a run of 258 bytes takes two bits at least. A stream that claims more is not believed, so
  /// that a damaged size cannot ask for terabytes.
  static let bestRatio = 1_032

  /// zlib counts in 32 bits.
  private static let step = 1 << 30

  private let count: Int
  private let isWhole: Bool
  private let error: (String) -> ModelFileError
  /// zlib keeps the address of its state, which must not move.
  private let z: UnsafeMutablePointer<z_stream>
  private let isStarted: Bool
  private var output: [UInt8]
  private var made = 0
  private var isEnded = false

  /// Starts a stream.
  /// - Parameters:
  ///   - count: how many bytes of its content are wanted.
  ///   - isWhole: whether the content must end there.
  ///   - error: makes an error of what is wrong with the stream, the rest of a sentence.
  /// - Throws: what `error` makes if there is no memory.
  init(count: Int, isWhole: Bool, error: @escaping (String) -> ModelFileError) throws(ModelFileError) {
    do { try HostAllocation.check(count) } catch let refused { throw error(refused.description) }
    (self.count, self.isWhole, self.error) = (count, isWhole, error)
    output = [UInt8](repeating: 0, count: count)
    z = .allocate(capacity: 1)
    z.initialize(to: z_stream())
    isStarted = weft_inflate_raw(z) == Z_OK
    guard isStarted else { throw error("cannot be decompressed: no memory") }
  }

  deinit {
    if isStarted { inflateEnd(z) }
    z.deallocate()
  }

  /// Whether the rest of the stream is to be taken.
  var wantsMore: Bool { isWhole || made < count }

  /// Takes the next piece of the stream.
  /// - Throws: an error if the stream is damaged or, where that was asked for, too long.
  func take(_ piece: UnsafeRawBufferPointer) throws(ModelFileError) {
    guard let base = piece.baseAddress, !piece.isEmpty else { return }
    guard !isEnded else { throw error("is shorter than the archive says") }
    // Room for one byte more than expected shows a stream that goes on.
    var surplus: UInt8 = 0
    z.pointee.next_in = UnsafeMutablePointer(mutating: base.assumingMemoryBound(to: Bytef.self))
    z.pointee.avail_in = uInt(piece.count)
    var status = Z_OK
    while status == Z_OK, wantsMore {
      let room = min(count - made, Self.step)
      if room > 0 {
        status = output.withUnsafeMutableBufferPointer { buffer in
          z.pointee.next_out = buffer.baseAddress.map { $0 + made }
          z.pointee.avail_out = uInt(room)
          return inflate(z, Z_NO_FLUSH)
        }
        made += room - Int(z.pointee.avail_out)
      } else {
        status = withUnsafeMutablePointer(to: &surplus) { place in
          z.pointee.next_out = place
          z.pointee.avail_out = 1
          return inflate(z, Z_NO_FLUSH)
        }
        guard z.pointee.avail_out == 1 else { throw error("is longer than the archive says") }
      }
    }
    switch status {
    case Z_OK, Z_BUF_ERROR: break  // all of the piece is taken: more is needed
    case Z_STREAM_END:
      isEnded = true
      guard z.pointee.avail_in == 0 || !isWhole else { throw error("is shorter than the archive says") }
    default: throw error("is damaged")
    }
  }

  /// The content, after the last piece.
  /// - Throws: an error if the stream was too short.
  func finish() throws(ModelFileError) -> [UInt8] {
    guard made == count, !isWhole || isEnded else { throw error("is shorter than the archive says") }
    return output
  }

  /// The CRC-32 of some bytes, as ZIP archives store it.
  static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var checksum = Checksum()
    checksum.add(bytes)
    return checksum.value
  }
}
