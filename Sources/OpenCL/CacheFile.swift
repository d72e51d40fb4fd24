/// The layout of a cached binary; numbers are little-endian.
///
///     offset  bytes
///          0      8  magic "WEFTCLBN"
///          8      4  format number
///         12     32  key: a file that was renamed or copied is not taken for another
///         44      8  length of the payload
///         52     32  SHA-256 of the payload
///         84         payload
enum CacheFile {
  /// Increase when the layout changes: older files become misses.
  static let format: UInt32 = 1
  static let headerByteCount = 84

  private static let magic = Array("WEFTCLBN".utf8)

  /// The whole file for `payload`.
  static func encode(_ payload: [UInt8], for key: ProgramCache.Key) -> [UInt8] {
    magic + littleEndianBytes(format) + key.digest + littleEndianBytes(UInt64(payload.count))
      + SHA256.hash(payload) + payload
  }

  /// The payload; nil unless every byte is as `encode` wrote it for this key.
  static func decode(_ file: [UInt8], for key: ProgramCache.Key) -> [UInt8]? {
    guard file.count > headerByteCount else { return nil }
    let payload = Array(file[headerByteCount...])
    let expected = magic + littleEndianBytes(format) + key.digest
    guard file.starts(with: expected) else { return nil }
    let length = littleEndianBytes(UInt64(payload.count))
    guard file[44..<52].elementsEqual(length) else { return nil }
    guard file[52..<headerByteCount].elementsEqual(SHA256.hash(payload)) else { return nil }
    return payload
  }

  static func littleEndianBytes<Word: FixedWidthInteger>(_ word: Word) -> [UInt8] {
    withUnsafeBytes(of: word.littleEndian, Array.init)
  }
}
