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
