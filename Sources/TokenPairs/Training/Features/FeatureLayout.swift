internal import ModelFiles

/// What a file of features begins with, and how large it is. Whoever opens one knows what it must say to the last byte,
/// so a file is right if it begins like that.
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
