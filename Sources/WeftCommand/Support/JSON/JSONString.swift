/// Turns the raw bytes of a JSON string, quotes included and grammar checked, into text.
enum JSONString {
  /// - Returns: the text, or nil where an escape is half of a surrogate pair.
  static func decode(_ raw: ArraySlice<UInt8>) -> String? {
    let inner = raw.dropFirst().dropLast()
    guard inner.contains(UInt8(ascii: "\\")) else { return String(decoding: inner, as: UTF8.self) }

    var text: [UInt8] = []
    text.reserveCapacity(inner.count)
    var position = inner.startIndex
    while position < inner.endIndex {
      let byte = inner[position]
      position += 1
      guard byte == UInt8(ascii: "\\") else {
        text.append(byte)
        continue
      }
      let kind = inner[position]
      position += 1
      guard kind == UInt8(ascii: "u") else {
        text.append(simpleEscape(kind))
        continue
      }
      guard let scalar = takeScalar(inner, &position) else { return nil }
      text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }
    return String(decoding: text, as: UTF8.self)
  }

  private static func simpleEscape(_ kind: UInt8) -> UInt8 {
    switch kind {
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0C
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    default: kind  // a quote, a backslash or a slash stands for itself
    }
  }

  /// Reads the digits after `\u`, and the second half of a pair where there is one.
  private static func takeScalar(
    _ bytes: ArraySlice<UInt8>, _ position: inout Int
  ) -> Unicode.Scalar? {
    let first = takeUnit(bytes, &position)
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard UTF16.isLeadSurrogate(first), bytes[position...].starts(with: [0x5C, 0x75]) else {
      return nil
    }
    position += 2
    let second = takeUnit(bytes, &position)
    guard UTF16.isTrailSurrogate(second) else { return nil }
    return Unicode.Scalar(0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00))
  }

  private static func takeUnit(_ bytes: ArraySlice<UInt8>, _ position: inout Int) -> UInt16 {
    var unit: UInt16 = 0
    for digit in bytes[position...].prefix(4) {
      let value = digit <= 0x39 ? digit - 0x30 : (digit | 0x20) - 0x61 + 10
      unit = unit << 4 | UInt16(value)
    }
    position += 4
    return unit
  }
}
