/// The element types of the safetensors format whose elements fill whole bytes. The raw value is
/// the format's own name.
package enum StoredType: String, CaseIterable, Hashable, Sendable {
  case bool = "BOOL"
  case uint8 = "U8"
  case int8 = "I8"
  case float8E5M2 = "F8_E5M2"
  case float8E4M3 = "F8_E4M3"
  case float8E8M0 = "F8_E8M0"
  case uint16 = "U16"
  case int16 = "I16"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case uint32 = "U32"
  case int32 = "I32"
  case float32 = "F32"
  case uint64 = "U64"
  case int64 = "I64"
  case float64 = "F64"
  case complex64 = "C64"

  /// Bytes one element takes.
  package var size: Int {
    switch self {
    case .bool, .uint8, .int8, .float8E5M2, .float8E4M3, .float8E8M0: 1
    case .uint16, .int16, .float16, .bfloat16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64, .complex64: 8
    }
  }

  /// Whether its elements are single numbers or truth values of which Float holds the nearest.
  var isNumber: Bool { ![.float8E5M2, .float8E4M3, .float8E8M0, .complex64].contains(self) }

  /// Whether it holds real numbers of 16 bits or more.
  var isReal: Bool { [.float16, .bfloat16, .float32, .float64].contains(self) }
}

/// A tensor as its file stores it: moved, not computed with, so that no bit of a number changes.
package struct StoredTensor: Sendable, Hashable {
  /// The elements' type.
  package let type: StoredType
  /// The extents, outermost first.
  package let shape: [Int]
  /// The elements, row major and little endian.
  package let bytes: [UInt8]

  /// A tensor of given bytes, as many as `shape` and `type` say.
  package init(type: StoredType, shape: [Int], bytes: [UInt8]) {
    precondition(shape.reduce(type.size, *) == bytes.count)
    self.type = type
    self.shape = shape
    self.bytes = bytes
  }

  /// A tensor of F32.
  package init(floats: [Float], shape: [Int]) {
    self.init(type: .float32, shape: shape, bytes: littleEndianBytes(floats.map(\.bitPattern)))
  }

  /// The elements as Float; nil for other types than F16, BF16, F32 and F64.
  package var floats: [Float]? { bytes.withUnsafeBytes { widenedToFloat($0, from: type) } }

  /// The matrix `[a, b]` as `[b, a]`.
  package var transposed: StoredTensor {
    precondition(shape.count == 2)
    let (rows, columns) = (shape[0], shape[1])
    return gathering([columns, rows]) { index in index % rows * columns + index / rows }
  }

  /// The matrix or vector whose row `r` is this one's row `order[r]`.
  package func rows(_ order: [Int]) -> StoredTensor {
    let width = shape.dropFirst().reduce(1, *)
    return gathering([order.count] + shape.dropFirst()) { index in order[index / width] * width + index % width }
  }

  /// The matrix whose column `c` is this one's column `order[c]`.
  package func columns(_ order: [Int]) -> StoredTensor {
    precondition(shape.count == 2)
    let (width, stored) = (order.count, shape[1])
    return gathering([shape[0], width]) { index in index / width * stored + order[index % width] }
  }

  /// A tensor whose element `i` is this one's element `source(i)`.
  private func gathering(_ shape: [Int], _ source: (Int) -> Int) -> StoredTensor {
    let size = type.size
    let count = shape.reduce(1, *)
    let gathered = [UInt8](unsafeUninitializedCapacity: count * size) { output, initialized in
      bytes.withUnsafeBufferPointer { input in
        for index in 0..<count {
          let from = source(index) * size
          for byte in 0..<size { output.initializeElement(at: index * size + byte, to: input[from + byte]) }
        }
      }
      initialized = count * size
    }
    return StoredTensor(type: type, shape: shape, bytes: gathered)
  }
}

/// Elements of a tensor's bytes as Float.
/// - Parameters:
///   - bytes: A multiple of the element's size, little endian, of any alignment.
///   - type: The elements' type.
/// - Returns: `nil` if the type does not hold real numbers of 16 bits or more.
func widenedToFloat(_ bytes: UnsafeRawBufferPointer, from type: StoredType) -> [Float]? {
  type.isReal ? floats(ElementReader(bytes: bytes, count: bytes.count / type.size), of: type) : nil
}

/// Elements as Float, of all types that single numbers have in a NumPy file and those of `isReal`: wide ones rounded to
/// nearest, truth values as 0 and 1; `nil` for other types.
func floats(_ elements: ElementReader, of type: StoredType) -> [Float]? {
  switch type {
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
  // bfloat16 is the upper half of a binary32.
  case .bfloat16: elements.map(UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
  case .float32: elements.map(UInt32.self) { Float(bitPattern: $0) }
  case .float64: elements.map(UInt64.self) { Float(Double(bitPattern: $0)) }
  case .float8E5M2, .float8E4M3, .float8E8M0, .complex64: nil
  }
}

/// Elements of a tensor's bytes as Int; `nil` if the type is not an integer one or BOOL, or if an
/// unsigned value exceeds Int.
func widenedToInt(_ bytes: UnsafeRawBufferPointer, from type: StoredType) -> [Int]? {
  let elements = ElementReader(bytes: bytes, count: bytes.count / type.size)
  switch type {
  case .int64: return elements.map(Int64.self) { Int($0) }
  case .int32: return elements.map(Int32.self) { Int($0) }
  case .int16: return elements.map(Int16.self) { Int($0) }
  case .int8: return elements.map(Int8.self) { Int($0) }
  case .uint32: return elements.map(UInt32.self) { Int($0) }
  case .uint16: return elements.map(UInt16.self) { Int($0) }
  case .uint8: return elements.map(UInt8.self) { Int($0) }
  case .bool: return elements.map(UInt8.self) { $0 == 0 ? 0 : 1 }
  case .uint64:
    let values = elements.map(Int64.self) { Int($0) }
    return values.contains { $0 < 0 } ? nil : values
  default: return nil
  }
}

/// The elements in some bytes, loaded one by one, which needs no alignment.
struct ElementReader {
  let bytes: UnsafeRawBufferPointer
  let count: Int
  var isBigEndian = false

  /// The elements, each converted.
  @inline(__always)
  func map<Stored: FixedWidthInteger & BitwiseCopyable, Element>(
    _ type: Stored.Type, _ convert: (Stored) -> Element
  ) -> [Element] {
    let size = MemoryLayout<Stored>.size
    guard count > 0, let base = bytes.baseAddress else { return [] }
    return Array(unsafeUninitializedCapacity: count) { buffer, initialized in
      if let output = buffer.baseAddress {
        // The usual case has a loop of its own, which the compiler turns into vector code.
        if !isBigEndian {
          for index in 0..<count {
            let stored = base.loadUnaligned(fromByteOffset: index &* size, as: Stored.self)
            (output + index).initialize(to: convert(Stored(littleEndian: stored)))
          }
        } else {
          for index in 0..<count {
            let stored = base.loadUnaligned(fromByteOffset: index &* size, as: Stored.self)
            (output + index).initialize(to: convert(Stored(bigEndian: stored)))
          }
        }
      }
      initialized = count
    }
  }
}

/// The bytes of integers, little endian.
func littleEndianBytes<Number: FixedWidthInteger & BitwiseCopyable>(_ numbers: [Number]) -> [UInt8] {
  numbers.map(\.littleEndian).withUnsafeBytes { Array($0) }
}

/// IEEE 754 binary16 as bit patterns.
///
/// Swift's `Float16` is missing on some systems, and without hardware conversion it is a library
/// call for each element; these are a few integer operations that the compiler turns into vector
/// code.
package enum HalfPrecision {
  /// The exact value of a binary16 pattern; a NaN keeps its sign and payload.
  @inline(__always)
  package static func widen(_ bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let magnitude = UInt32(bits & 0x7FFF) << 13  // exponent and fraction in binary32's places
    let biasGap: UInt32 = (127 - 15) << 23
    // Subnormals: with the smallest normal exponent the fraction is off by exactly 2^-14.
    let subnormal = (Float(bitPattern: magnitude + biasGap + 1 << 23) - 0x1p-14).bitPattern
    let normal = magnitude + biasGap
    let special = magnitude + 2 * biasGap  // exponent 31 becomes 255: infinity and NaN
    let finite = magnitude < 1 << 23 ? subnormal : normal
    return Float(bitPattern: sign | (magnitude < 31 << 23 ? finite : special))
  }

  /// The nearest binary16 pattern, ties to even; too large a value becomes infinity, as IEEE 754
  /// has it.
  package static func narrow(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let sign = UInt16(truncatingIfNeeded: bits >> 16) & 0x8000
    let magnitude = bits & 0x7FFF_FFFF
    if magnitude > 0x7F80_0000 {  // NaN: keep the payload's top, and stay a NaN
      return sign | 0x7E00 | UInt16(truncatingIfNeeded: magnitude >> 13) & 0x1FF
    }
    if magnitude >= 0x4780_0000 { return sign | 0x7C00 }  // 65,536 and more
    if magnitude < 0x3880_0000 {  // below 2^-14: a multiple of 2^-24, rounded by the addition
      let shifted = Float(bitPattern: magnitude) + 0x1p-1
      return sign | UInt16(truncatingIfNeeded: shifted.bitPattern - Float(0x1p-1).bitPattern)
    }
    let rounded = magnitude - (127 - 15) << 23 + 0xFFF + (magnitude >> 13 & 1)
    return sign | UInt16(truncatingIfNeeded: rounded >> 13)
  }
}
