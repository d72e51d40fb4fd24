/// Numbers at places of a file, each checked to lie in it.
struct LittleEndianFields {
  let bytes: UnsafeRawBufferPointer

  func uint16(_ place: Int) -> Int? { number(place, as: UInt16.self) }
  func uint32(_ place: Int) -> Int? { number(place, as: UInt32.self) }
  /// Nil also for what exceeds Int: no file has such a place.
  func uint64(_ place: Int) -> Int? { number(place, as: UInt64.self) }

  private func number<Value: FixedWidthInteger & BitwiseCopyable>(_ place: Int, as type: Value.Type) -> Int? {
    guard place >= 0, place <= bytes.count - MemoryLayout<Value>.size else { return nil }
    return Int(exactly: Value(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: type)))
  }
}
