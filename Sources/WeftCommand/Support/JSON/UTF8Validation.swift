/// Strict UTF-8: no overlong forms, no encoded surrogates, nothing above U+10FFFF.
enum UTF8Validation {
  /// - Returns: the offset of the first byte that is part of no valid sequence, or nil.
  static func firstInvalidByte(of bytes: [UInt8]) -> Int? {
    if String(validating: bytes, as: UTF8.self) != nil { return nil }  // the fast, usual case
    var parser = Unicode.UTF8.ForwardParser()
    var iterator = bytes.makeIterator()
    var offset = 0
    while true {
      switch parser.parseScalar(from: &iterator) {
      case .valid(let scalar): offset += scalar.count
      case .error: return offset
      case .emptyInput: return nil
      }
    }
  }
}
