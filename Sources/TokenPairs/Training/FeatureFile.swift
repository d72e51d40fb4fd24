package import Engine
internal import Files
internal import ModelFiles

/// The encoder's output for windows of text, made once: what heads are trained on.
package protocol FeatureSource: Sendable {
  /// The width of a row.
  var hiddenSize: Int { get }
  /// Tokens of each window, a row a token.
  var lengths: [Int] { get }

  /// Copies a window's rows, CLS first.
  /// - Parameters:
  ///   - window: the window's number.
  ///   - buffer: room for `lengths[window] · hiddenSize` floats at least.
  /// - Throws: `EngineError` if they can no longer be read.
  func copyRows(of window: Int, into buffer: UnsafeMutableBufferPointer<Float>) throws(EngineError)
}

extension FeatureSource {
  /// A window's rows, `[tokens, hiddenSize]`, CLS first.
  package func rows(of window: Int) throws(EngineError) -> [Float] { try rows(of: [window]) }

  /// The rows of some windows, one after the other.
  package func rows(of windows: [Int]) throws(EngineError) -> [Float] {
    let sizes = windows.map { lengths[$0] * hiddenSize }
    var failure: EngineError?
    let rows = [Float](unsafeUninitializedCapacity: sizes.reduce(0, +)) { buffer, initialized in
      do throws(EngineError) {
        for (window, size) in zip(windows, sizes) {
          try copyRows(
            of: window, into: UnsafeMutableBufferPointer(rebasing: buffer[initialized..<initialized + size]))
          initialized += size
        }
      } catch { failure = error }
    }
    if let failure { throw failure }
    return rows
  }
}

/// How features are stored.
public enum FeaturePrecision: String, Sendable, Hashable, Codable, CaseIterable {
  /// As the encoder gives them.
  case float32
  /// Rounded to nearest, in half the room.
  case float16

  /// Bytes an element takes.
  var byteCount: Int { self == .float32 ? 4 : 2 }
}

/// What a file of features begins with, and how large it is. A reader knows every byte of the header beforehand, so a file
/// is right if it begins with them.
///
///     8 bytes   "WEFTFEAT"
///     4 · 4     version, bytes an element, checksum of the encoder, checksum of the device's names
///     4         checksum of the token ids
///     4         0
///     8 · 3     bytes of the encoder's files, windows, width of a row
///     4 · n     tokens of each window
///               zeros up to a multiple of 64, then the rows, row major
///     4         checksum of all before it
///
/// All numbers are little endian.
struct FeatureLayout: Sendable, Hashable {
  static let magic = Array("WEFTFEAT".utf8)
  static let version: UInt32 = 1

  /// What the features were computed from. Other devices round otherwise.
  struct Key: Sendable, Hashable {
    let encoder: Checksum
    let device: Checksum
    let tokens: Checksum

    /// Names the file: other contents get other names.
    var name: String {
      var all = Checksum()
      all.add([encoder.value, device.value, tokens.value])
      return all.hexadecimal
    }
  }

  let key: Key
  let precision: FeaturePrecision
  let hiddenSize: Int
  /// Tokens of each window.
  let lengths: [Int]

  /// What the names of all such files begin with.
  static let namePrefix = "features-"

  /// The file's name in its directory.
  var fileName: String { "\(Self.namePrefix)\(key.name)-\(precision.rawValue).bin" }

  /// All bytes before the rows.
  var header: [UInt8] {
    var bytes = Self.magic
    func add<Number: FixedWidthInteger>(_ number: Number) {
      withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }
    add(Self.version)
    add(UInt32(precision.byteCount))
    for number in [key.encoder.value, key.device.value, key.tokens.value, 0] { add(number) }
    for number in [key.encoder.count, lengths.count, hiddenSize] { add(UInt64(number)) }
    for length in lengths { add(UInt32(length)) }
    while bytes.count % 64 != 0 { bytes.append(0) }
    return bytes
  }

  var rowBytes: Int { hiddenSize * precision.byteCount }

  /// Bytes of the whole file.
  func fileSize(headerSize: Int) -> Int { headerSize + lengths.reduce(0, +) * rowBytes + 4 }

  /// The place of each window's first row.
  func offsets(headerSize: Int) -> [Int] {
    var place = headerSize
    return lengths.map { length in
      defer { place += length * rowBytes }
      return place
    }
  }
}

/// Writes features, window by window; the file appears when it is complete.
final class FeatureWriter {
  private let file: ReplacingFile
  private let precision: FeaturePrecision
  private var checksum = Checksum()

  /// Starts a file.
  /// - Throws: `ModelFileError` if the system refuses.
  init(_ path: String, _ layout: FeatureLayout) throws(ModelFileError) {
    do { file = try ReplacingFile(path) } catch { throw ModelFileError(error) }
    precision = layout.precision
    try write(layout.header)
  }

  /// Writes the next window's rows.
  /// - Throws: `ModelFileError` if the system refuses, as it does when the disk is full.
  func add(_ rows: [Float]) throws(ModelFileError) {
    switch precision {
    case .float32: try write(rows.map(\.bitPattern.littleEndian))
    case .float16: try write(rows.map { HalfPrecision.narrow($0).littleEndian })
    }
  }

  /// Completes the file.
  /// - Throws: `ModelFileError` if the system refuses.
  func finish() throws(ModelFileError) {
    try write([checksum.value.littleEndian])
    do { try file.commit() } catch { throw ModelFileError(error) }
  }

  private func write<Element: BitwiseCopyable>(_ elements: [Element]) throws(ModelFileError) {
    try elements.withUnsafeBufferPointer { (elements) throws(ModelFileError) in
      let bytes = UnsafeRawBufferPointer(elements)
      checksum.add(bytes)
      do throws(WriteError) { try file.write(bytes) } catch { throw ModelFileError(error) }
    }
  }
}

/// Features in a file: rows are read from the disk when they are asked for, and need no memory of their own.
package struct FeatureCache: FeatureSource {
  /// Why a file cannot be used, as the rest of a sentence.
  struct Fault: Error, Hashable { let problem: String }

  package let hiddenSize: Int
  package let lengths: [Int]
  private let precision: FeaturePrecision
  private let offsets: [Int]
  private let file: InputFile

  /// Opens a file, all of which is read once to see that it is undamaged.
  /// - Parameters:
  ///   - path: the file.
  ///   - layout: what it must hold.
  /// - Throws: `Fault` if it does not hold that.
  init(_ path: String, _ layout: FeatureLayout) throws(Fault) {
    let header = layout.header
    do throws(ModelFileError) {
      file = try InputFile(path: path)
      if let problem = try Self.problem(with: file, layout, header) {
        throw ModelFileError(file: path, problem: problem)
      }
    } catch { throw Fault(problem: error.problem) }
    hiddenSize = layout.hiddenSize
    lengths = layout.lengths
    precision = layout.precision
    offsets = layout.offsets(headerSize: header.count)
  }

  package func copyRows(of window: Int, into buffer: UnsafeMutableBufferPointer<Float>) throws(EngineError) {
    let count = lengths[window] * hiddenSize
    precondition(buffer.count >= count)
    let room = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<(4 * count)])
    do throws(ModelFileError) {
      switch precision {
      case .float32:
        try file.read(at: offsets[window], into: room)
        for index in 0..<count {
          buffer[index] = Float(bitPattern: UInt32(littleEndian: buffer[index].bitPattern))
        }
      case .float16:
        // Halves are read to the end of the room and widened from the front: none is overwritten before it is read.
        let halves = UnsafeMutableRawBufferPointer(rebasing: room[(2 * count)...])
        try file.read(at: offsets[window], into: halves)
        for index in 0..<count {
          let stored = halves.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
          buffer[index] = HalfPrecision.widen(UInt16(littleEndian: stored))
        }
      }
    } catch {
      throw EngineError(.deviceFailure, "the features cannot be read: \(error)")
    }
  }

  /// What is wrong with a file; nil if it holds what is expected.
  private static func problem(
    with file: InputFile, _ layout: FeatureLayout, _ header: [UInt8]
  ) throws(ModelFileError) -> String? {
    guard try file.starts(with: FeatureLayout.magic) else { return "is no file of features" }
    let version = file.count >= 12 ? try file.bytes(8..<12).reversed().reduce(0) { $0 << 8 | UInt32($1) } : 0
    guard version == FeatureLayout.version else {
      return "is of version \(version); version \(FeatureLayout.version) is read"
    }
    guard try file.starts(with: header) else {
      return "was made from another encoder or other texts, or on another device"
    }
    guard file.count == layout.fileSize(headerSize: header.count) else {
      return "has \(file.count) bytes, \(layout.fileSize(headerSize: header.count)) are expected"
    }
    var checksum = Checksum()
    try file.forEachPiece(of: 0..<file.count - 4) { checksum.add($0) }
    let stored = try file.bytes(file.count - 4..<file.count).reversed().reduce(0) { $0 << 8 | UInt32($1) }
    return checksum.value == stored ? nil : "is damaged: its checksum is wrong"
  }
}
