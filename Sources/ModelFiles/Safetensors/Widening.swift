/// Elements of a tensor's bytes as Float.
/// - Parameters:
///   - bytes: A multiple of the element's size, little endian, of any alignment.
///   - type: The elements' type.
/// - Returns: `nil` if the type does not hold real numbers of 16 bits or more.
func widenedToFloat(_ bytes: UnsafeRawBufferPointer, from type: StoredType) -> [Float]? {
  switch type {
  case .float32: elements(bytes, as: UInt32.self) { Float(bitPattern: $0) }
  case .float16: elements(bytes, as: UInt16.self) { HalfPrecision.widen($0) }
  // bfloat16 is the upper half of a binary32.
  case .bfloat16: elements(bytes, as: UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
  case .float64: elements(bytes, as: UInt64.self) { Float(Double(bitPattern: $0)) }
  default: nil
  }
}

/// Elements of a tensor's bytes as Int; `nil` if the type is not an integer one or BOOL, or if an
/// unsigned value exceeds Int.
func widenedToInt(_ bytes: UnsafeRawBufferPointer, from type: StoredType) -> [Int]? {
  switch type {
  case .int64: return elements(bytes, as: Int64.self) { Int($0) }
  case .int32: return elements(bytes, as: Int32.self) { Int($0) }
  case .int16: return elements(bytes, as: Int16.self) { Int($0) }
  case .int8: return elements(bytes, as: Int8.self) { Int($0) }
  case .uint32: return elements(bytes, as: UInt32.self) { Int($0) }
  case .uint16: return elements(bytes, as: UInt16.self) { Int($0) }
  case .uint8: return elements(bytes, as: UInt8.self) { Int($0) }
  case .bool: return elements(bytes, as: UInt8.self) { $0 == 0 ? 0 : 1 }
  case .uint64:
    let values = elements(bytes, as: Int64.self) { Int($0) }
    return values.contains { $0 < 0 } ? nil : values
  default: return nil
  }
}

/// Loads elements one by one, which needs no alignment, and converts each.
@inline(__always)
private func elements<Stored: FixedWidthInteger & BitwiseCopyable, Element>(
  _ bytes: UnsafeRawBufferPointer, as type: Stored.Type, _ convert: (Stored) -> Element
) -> [Element] {
  let count = bytes.count / MemoryLayout<Stored>.size
  guard count > 0, let base = bytes.baseAddress else { return [] }
  return Array(unsafeUninitializedCapacity: count) { buffer, initialized in
    if let output = buffer.baseAddress {
      for index in 0..<count {
        let stored = base.loadUnaligned(
          fromByteOffset: index &* MemoryLayout<Stored>.size, as: Stored.self)
        (output + index).initialize(to: convert(Stored(littleEndian: stored)))
      }
    }
    initialized = count
  }
}
