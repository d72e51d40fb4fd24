/// Text after normalisation, with the way back to the original.
///
/// Each normalised scalar stands for exactly one scalar of the original: kept and replaced scalars
/// for themselves, the parts of an expansion for what they were made from.
struct NormalizedText {
  /// The text as UTF-8.
  private(set) var bytes: [UInt8] = []
  /// For each byte, the index of its original scalar, counted from the start of the whole text.
  private(set) var origins: [Int32] = []

  /// Empties the text but keeps its memory, for `byteCount` bytes or more.
  mutating func reset(byteCount: Int) {
    bytes.removeAll(keepingCapacity: true)
    origins.removeAll(keepingCapacity: true)
    bytes.reserveCapacity(byteCount)
    origins.reserveCapacity(byteCount)
  }

  /// Adds an ASCII character.
  @inline(__always)
  mutating func append(ascii byte: UInt8, origin: Int32) {
    bytes.append(byte)
    origins.append(origin)
  }

  /// Adds a scalar.
  @inline(__always)
  mutating func append(_ scalar: Unicode.Scalar, origin: Int32) {
    for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
      append(ascii: byte, origin: origin)
    }
  }

  /// Finds the original of a part of the text.
  /// - Parameter range: A range of bytes, not empty.
  /// - Returns: The original scalars that the part stands for.
  @inline(__always)
  func origin(of range: Range<Int>) -> Range<Int> {
    Int(origins[range.lowerBound])..<Int(origins[range.upperBound - 1]) + 1
  }
}

/// The scalar that begins at a byte of valid UTF-8, and its length in bytes.
@inline(__always)
func decodeScalar(
  _ bytes: UnsafeBufferPointer<UInt8>, at index: Int
) -> (scalar: Unicode.Scalar, length: Int) {
  func tail(_ offset: Int) -> UInt32 { UInt32(bytes[index + offset] & 0x3F) }
  let lead = UInt32(bytes[index])
  let value: UInt32
  let length: Int
  switch lead {
  case ..<0x80: (value, length) = (lead, 1)
  case ..<0xE0: (value, length) = ((lead & 0x1F) << 6 | tail(1), 2)
  case ..<0xF0: (value, length) = ((lead & 0x0F) << 12 | tail(1) << 6 | tail(2), 3)
  default:
    (value, length) = ((lead & 0x07) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3), 4)
  }
  return (Unicode.Scalar(value) ?? "\u{FFFD}", length)
}

/// The scalar that ends before a byte of valid UTF-8, and where it begins.
func decodeScalar(
  _ bytes: UnsafeBufferPointer<UInt8>, before end: Int
) -> (scalar: Unicode.Scalar, start: Int) {
  var start = end - 1
  while start > 0, bytes[start] & 0xC0 == 0x80 { start -= 1 }
  return (decodeScalar(bytes, at: start).scalar, start)
}

/// The number of scalars in a part of valid UTF-8.
func scalarCount(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Int {
  var count = 0
  for index in range where bytes[index] & 0xC0 != 0x80 { count += 1 }
  return count
}
