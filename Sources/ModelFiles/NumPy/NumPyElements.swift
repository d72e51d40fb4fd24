/// The elements of an array's bytes as Float, in the bytes' order.
/// - Parameters:
///   - bytes: Enough for `count` elements, of any alignment.
///   - count: The number of elements.
///   - type: Their type.
///   - stride: How many elements it is from each to the next.
/// - Returns: `count` numbers.
func floats(_ bytes: UnsafeRawBufferPointer, count: Int, of type: NumPyType, stride: Int = 1) -> [Float] {
  let elements = NumPyElements(bytes: bytes, count: count, stride: stride, isBigEndian: type.isBigEndian)
  return switch type.element {
  case .bool: elements.map(UInt8.self) { $0 == 0 ? 0 : 1 }
  case .int8: elements.map(Int8.self) { Float($0) }
  case .uint8: elements.map(UInt8.self) { Float($0) }
  case .int16: elements.map(Int16.self) { Float($0) }
  case .uint16: elements.map(UInt16.self) { Float($0) }
  case .int32: elements.map(Int32.self) { Float($0) }
  case .uint32: elements.map(UInt32.self) { Float($0) }
  case .int64: elements.map(Int64.self) { Float($0) }
  case .uint64: elements.map(UInt64.self) { Float($0) }
  case .float16: elements.map(UInt16.self) { HalfPrecision.widen($0) }
  case .float32: elements.map(UInt32.self) { Float(bitPattern: $0) }
  case .float64: elements.map(UInt64.self) { Float(Double(bitPattern: $0)) }
  }
}

private struct NumPyElements {
  let bytes: UnsafeRawBufferPointer
  let count: Int
  let stride: Int
  let isBigEndian: Bool

  /// Loads elements one by one, which needs no alignment, and converts each.
  @inline(__always)
  func map<Stored: FixedWidthInteger & BitwiseCopyable>(
    _ type: Stored.Type, _ convert: (Stored) -> Float
  ) -> [Float] {
    Array(unsafeUninitializedCapacity: count) { buffer, initialized in
      for index in 0..<count {
        let stored = bytes.loadUnaligned(
          fromByteOffset: index * stride * MemoryLayout<Stored>.size, as: Stored.self)
        let value = isBigEndian ? Stored(bigEndian: stored) : Stored(littleEndian: stored)
        buffer.initializeElement(at: index, to: convert(value))
      }
      initialized = count
    }
  }
}
