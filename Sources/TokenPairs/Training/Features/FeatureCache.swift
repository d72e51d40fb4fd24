internal import ModelFiles

/// Features in a file, mapped: rows are read from the disk when they are asked for, and need no memory of their own.
package struct FeatureCache: FeatureSource {
  /// Why a file cannot be used, as the rest of a sentence.
  struct Fault: Error, Hashable { let problem: String }

  package let hiddenSize: Int
  package let lengths: [Int]
  private let precision: FeaturePrecision
  private let offsets: [Int]
  private let file: MappedFile

  /// Opens a file, all of which is read once to see that it is undamaged.
  /// - Parameters:
  ///   - path: the file.
  ///   - layout: what it must hold.
  /// - Throws: `Fault` if it does not hold that.
  init(_ path: String, _ layout: FeatureLayout) throws(Fault) {
    let header = layout.header
    do { file = try MappedFile(path: path) } catch { throw Fault(problem: error.problem) }
    try file.withBytes { (bytes) throws(Fault) in try Self.check(bytes, layout, header) }
    hiddenSize = layout.hiddenSize
    lengths = layout.lengths
    precision = layout.precision
    offsets = layout.offsets(headerSize: header.count)
  }

  package func copyRows(of window: Int, into buffer: UnsafeMutableBufferPointer<Float>) {
    let count = lengths[window] * hiddenSize
    precondition(buffer.count >= count)
    guard count > 0, let output = buffer.baseAddress else { return }
    file.withBytes { bytes in
      let rows = UnsafeRawBufferPointer(rebasing: bytes[offsets[window]...].prefix(count * precision.byteCount))
      guard let input = rows.baseAddress else { return }
      switch precision {
      case .float32:
        for index in 0..<count {
          let stored = input.loadUnaligned(fromByteOffset: 4 &* index, as: UInt32.self)
          (output + index).initialize(to: Float(bitPattern: UInt32(littleEndian: stored)))
        }
      case .float16:
        for index in 0..<count {
          let stored = input.loadUnaligned(fromByteOffset: 2 &* index, as: UInt16.self)
          (output + index).initialize(to: HalfPrecision.widen(UInt16(littleEndian: stored)))
        }
      }
    }
  }

  private static func check(
    _ bytes: UnsafeRawBufferPointer, _ layout: FeatureLayout, _ header: [UInt8]
  ) throws(Fault) {
    guard bytes.starts(with: FeatureLayout.magic) else { throw Fault(problem: "is no file of features") }
    let version = bytes.count >= 12 ? UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)) : 0
    guard version == FeatureLayout.version else {
      throw Fault(problem: "is of version \(version); version \(FeatureLayout.version) is read")
    }
    guard bytes.starts(with: header) else {
      throw Fault(problem: "was made from another encoder or other texts, or on another device")
    }
    guard bytes.count == layout.fileSize(headerSize: header.count) else {
      throw Fault(problem: "has \(bytes.count) bytes, \(layout.fileSize(headerSize: header.count)) are expected")
    }
    var checksum = Checksum()
    checksum.add(UnsafeRawBufferPointer(rebasing: bytes.dropLast(4)))
    let stored = bytes.loadUnaligned(fromByteOffset: bytes.count - 4, as: UInt32.self)
    guard checksum.value == UInt32(littleEndian: stored) else {
      throw Fault(problem: "is damaged: its checksum is wrong")
    }
  }
}
