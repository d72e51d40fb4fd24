/// A ZIP archive: its directory, checked, and the bytes of its files.
struct ZipArchive: Sendable {
  let path: String
  let entries: [ZipEntry]
  private let file: InputFile
  private let directoryStart: Int

  /// Compressed bytes that are read at a time.
  private static let pieceSize = 1 << 18

  /// - Throws: `ModelFileError` if the file cannot be read or is no sound archive.
  init(_ file: InputFile) throws(ModelFileError) {
    self.file = file
    path = file.path
    let directory = try ZipDirectory(file)
    entries = directory.entries
    directoryStart = directory.start
  }

  /// A file's content, its checksum verified.
  func bytes(of entry: ZipEntry) throws(ModelFileError) -> [UInt8] {
    let bytes = try content(of: entry, count: entry.count)
    guard bytes.withUnsafeBytes({ Inflate.checksum($0) }) == entry.checksum else {
      throw error(entry, "its checksum is wrong; the file is damaged")
    }
    return bytes
  }

  /// The beginning of a file's content, at most `limit` bytes, not verified.
  func prefix(of entry: ZipEntry, limit: Int) throws(ModelFileError) -> [UInt8] {
    try content(of: entry, count: min(limit, entry.count))
  }

  private func content(of entry: ZipEntry, count: Int) throws(ModelFileError) -> [UInt8] {
    let stored = try stored(entry)
    switch entry.method {
    case .stored:
      guard entry.count == entry.storedCount else { throw error(entry, "its two sizes differ; the file is damaged") }
      return try file.bytes(stored.lowerBound..<stored.lowerBound + count)
    case .deflated:
      guard entry.count / Inflate.bestRatio <= entry.storedCount else {
        throw error(entry, "\(entry.count) bytes cannot come from \(entry.storedCount); the file is damaged")
      }
      let inflate = try Inflate(count: count, isWhole: count == entry.count) { self.error(entry, $0) }
      var place = stored.lowerBound
      while place < stored.upperBound, inflate.wantsMore {
        let piece = try file.bytes(place..<min(stored.upperBound, place + Self.pieceSize))
        try piece.withUnsafeBufferPointer { (piece) throws(ModelFileError) in
          try inflate.take(UnsafeRawBufferPointer(piece))
        }
        place += piece.count
      }
      return try inflate.finish()
    }
  }

  /// Where a file's bytes are stored: they follow its own header, whose length varies.
  private func stored(_ entry: ZipEntry) throws(ModelFileError) -> Range<Int> {
    guard entry.place <= directoryStart - 30 else { throw misplaced(entry) }
    let header = try file.bytes(entry.place..<entry.place + 30)
    let fields = LittleEndianFields(bytes: header)
    guard fields.uint32(0) == 0x0403_4B50, let nameLength = fields.uint16(26), let extraLength = fields.uint16(28)
    else { throw misplaced(entry) }
    let start = entry.place + 30 + nameLength + extraLength
    guard start <= directoryStart, entry.storedCount <= directoryStart - start else {
      throw error(entry, "\(entry.storedCount) bytes do not fit into the archive; the file is damaged")
    }
    return start..<start + entry.storedCount
  }

  private func misplaced(_ entry: ZipEntry) -> ModelFileError {
    error(entry, "it is not where the directory says; the file is damaged")
  }

  private func error(_ entry: ZipEntry, _ problem: String) -> ModelFileError {
    ModelFileError(file: path, subject: entry.name.quoted, problem: problem)
  }
}

/// One file of a ZIP archive, as the archive's directory describes it.
struct ZipEntry: Sendable, Hashable {
  /// How a file's bytes are stored.
  enum Method: Sendable, Hashable {
    case stored
    case deflated
  }

  let name: String
  let method: Method
  let checksum: UInt32
  let storedCount: Int
  let count: Int
  /// Where the file's own header begins.
  let place: Int
}

/// The directory at the end of a ZIP archive (PKWARE's APPNOTE 6.3, with the 64-bit extension).
struct ZipDirectory {
  let entries: [ZipEntry]
  /// Where the directory begins: the files lie before it.
  let start: Int

  /// The record that ends every archive, without its comment; before it the place of a 64-bit record may be noted.
  private static let endSize = 22
  private static let noteSize = 20
  private static let wideSize = 56

  /// - Throws: `ModelFileError` if the file is no archive, is cut short or damaged, or uses what is not supported.
  init(_ file: InputFile) throws(ModelFileError) {
    func error(_ problem: String) -> ModelFileError { ModelFileError(file: file.path, problem: problem) }
    let damaged = error("the archive's directory is damaged")
    let tailStart = max(0, file.count - Self.noteSize - Self.endSize - 0xFFFF)
    let tail = LittleEndianFields(bytes: try file.bytes(tailStart..<file.count))
    guard let end = Self.end(tail) else {
      throw error("the archive has no directory; the file is cut short or is no ZIP archive")
    }
    var place = tailStart + end
    guard let first = tail.uint16(end + 4), let own = tail.uint16(end + 6), var count = tail.uint16(end + 10),
      var size = tail.uint32(end + 12), var start = tail.uint32(end + 16)
    else { throw damaged }
    if count == 0xFFFF || size == 0xFFFF_FFFF || start == 0xFFFF_FFFF {
      guard tail.uint32(end - 20) == 0x0706_4B50, let wide = tail.uint64(end - 12), wide <= place - Self.wideSize
      else { throw damaged }
      let fields = LittleEndianFields(bytes: try file.bytes(wide..<wide + Self.wideSize))
      guard fields.uint32(0) == 0x0606_4B50, let wideCount = fields.uint64(32), let wideSize = fields.uint64(40),
        let wideStart = fields.uint64(48)
      else { throw damaged }
      (count, size, start, place) = (wideCount, wideSize, wideStart, wide)
    } else if first != 0 || own != 0 {
      throw error("the archive is spread over several files")
    }
    // Each entry takes 46 bytes at least. Between the last one and the end may lie a 64-bit record that is not needed.
    guard start <= place, size <= place - start, count <= size / 46 else { throw damaged }

    var entries: [ZipEntry] = []
    var seen: Set<ExactString> = []
    let directory = LittleEndianFields(bytes: try file.bytes(start..<start + size))
    place = 0
    for _ in 0..<count {
      let (entry, length) = try Self.entry(at: place, in: directory, file: file.path)
      guard seen.insert(ExactString(entry.name)).inserted else { throw error("\(entry.name.quoted) is in it twice") }
      entries.append(entry)
      place += length
    }
    guard place == size else { throw damaged }
    self.entries = entries
    self.start = start
  }

  /// Where the record that ends every archive is; it holds the length of the comment behind it.
  private static func end(_ fields: LittleEndianFields) -> Int? {
    let last = fields.bytes.count - endSize
    guard last >= 0 else { return nil }
    return (max(0, last - 0xFFFF)...last).reversed().first {
      fields.uint32($0) == 0x0605_4B50 && fields.uint16($0 + 20) == last - $0
    }
  }

  private static func entry(
    at place: Int, in fields: LittleEndianFields, file: String
  ) throws(ModelFileError) -> (ZipEntry, length: Int) {
    func error(_ problem: String) -> ModelFileError { ModelFileError(file: file, problem: problem) }
    guard fields.uint32(place) == 0x0201_4B50, let flags = fields.uint16(place + 8),
      let method = fields.uint16(place + 10), let checksum = fields.uint32(place + 16),
      var stored = fields.uint32(place + 20), var count = fields.uint32(place + 24),
      let nameLength = fields.uint16(place + 28), let extraLength = fields.uint16(place + 30),
      let commentLength = fields.uint16(place + 32), var start = fields.uint32(place + 42),
      place + 46 + nameLength + extraLength + commentLength <= fields.bytes.count
    else { throw error("the archive's directory is damaged") }
    let name = String(decoding: fields.bytes[place + 46..<place + 46 + nameLength], as: UTF8.self)
    var wide = WideNumbers(fields, place + 46 + nameLength, length: extraLength)
    for number in [\Numbers.count, \.stored, \.start] {
      // In this order, and only those that do not fit their usual place.
      var numbers = Numbers(count: count, stored: stored, start: start)
      guard numbers[keyPath: number] == 0xFFFF_FFFF else { continue }
      guard let value = wide.next() else { throw error("the size of \(name.quoted) is missing; the file is damaged") }
      numbers[keyPath: number] = value
      (count, stored, start) = (numbers.count, numbers.stored, numbers.start)
    }
    guard flags & 1 == 0 else { throw error("\(name.quoted) is encrypted") }
    let known: ZipEntry.Method
    switch method {
    case 0: known = .stored
    case 8: known = .deflated
    default: throw error("\(name.quoted) is compressed by method \(method); stored and deflated files can be read")
    }
    return (
      ZipEntry(
        name: name, method: known, checksum: UInt32(truncatingIfNeeded: checksum), storedCount: stored, count: count,
        place: start),
      46 + nameLength + extraLength + commentLength
    )
  }

  private struct Numbers {
    var count: Int
    var stored: Int
    var start: Int
  }
}

/// The numbers of 64 bits in an entry's extra field.
private struct WideNumbers {
  private let fields: LittleEndianFields
  private var place = 0
  private var end = 0

  init(_ fields: LittleEndianFields, _ start: Int, length: Int) {
    self.fields = fields
    var part = start
    while let kind = fields.uint16(part), let size = fields.uint16(part + 2), part + 4 + size <= start + length {
      if kind == 1 {
        (place, end) = (part + 4, part + 4 + size)
        return
      }
      part += 4 + size
    }
  }

  mutating func next() -> Int? {
    guard place + 8 <= end else { return nil }
    defer { place += 8 }
    return fields.uint64(place)
  }
}

/// Numbers at places of some bytes, each checked to lie in them.
struct LittleEndianFields {
  let bytes: [UInt8]

  func uint16(_ place: Int) -> Int? { number(place, as: UInt16.self) }
  func uint32(_ place: Int) -> Int? { number(place, as: UInt32.self) }
  /// Nil also for what exceeds Int: no file has such a place.
  func uint64(_ place: Int) -> Int? { number(place, as: UInt64.self) }

  private func number<Value: FixedWidthInteger & BitwiseCopyable>(_ place: Int, as type: Value.Type) -> Int? {
    guard place >= 0, place <= bytes.count - MemoryLayout<Value>.size else { return nil }
    let value = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: place, as: type) }
    return Int(exactly: Value(littleEndian: value))
  }
}
