/// A ZIP archive, mapped: its directory, checked, and the bytes of its files.
struct ZipArchive: Sendable {
  let path: String
  let entries: [ZipEntry]
  private let file: MappedFile
  private let directoryStart: Int

  /// - Throws: `ModelFileError` if the file cannot be read or is no sound archive.
  init(_ file: MappedFile) throws(ModelFileError) {
    self.file = file
    path = file.path
    let directory = try file.withBytes { (bytes) throws(ModelFileError) in try ZipDirectory(bytes, file: file.path) }
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
    try file.withBytes { (bytes) throws(ModelFileError) in
      let stored = try self.stored(entry, in: bytes)
      switch entry.method {
      case .stored:
        guard entry.count == entry.storedCount else { throw error(entry, "its two sizes differ; the file is damaged") }
        return Array(stored.prefix(count))
      case .deflated:
        guard entry.count / Inflate.bestRatio <= entry.storedCount else {
          throw error(entry, "\(entry.count) bytes cannot come from \(entry.storedCount); the file is damaged")
        }
        do throws(Inflate.Failure) {
          return try Inflate.bytes(of: stored, count: count, isWhole: count == entry.count)
        } catch { throw self.error(entry, error.problem) }
      }
    }
  }

  /// A file's bytes as they are stored: they follow its own header, whose length varies.
  private func stored(
    _ entry: ZipEntry, in bytes: UnsafeRawBufferPointer
  ) throws(ModelFileError) -> UnsafeRawBufferPointer {
    let fields = LittleEndianFields(bytes: bytes)
    guard entry.place <= directoryStart - 30, fields.uint32(entry.place) == 0x0403_4B50,
      let nameLength = fields.uint16(entry.place + 26), let extraLength = fields.uint16(entry.place + 28)
    else { throw error(entry, "it is not where the directory says; the file is damaged") }
    let start = entry.place + 30 + nameLength + extraLength
    guard start <= directoryStart, entry.storedCount <= directoryStart - start else {
      throw error(entry, "\(entry.storedCount) bytes do not fit into the archive; the file is damaged")
    }
    return UnsafeRawBufferPointer(rebasing: bytes[start..<start + entry.storedCount])
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

  /// - Throws: `ModelFileError` if the bytes are no archive, are cut short or damaged, or use what is not supported.
  init(_ bytes: UnsafeRawBufferPointer, file: String) throws(ModelFileError) {
    func error(_ problem: String) -> ModelFileError { ModelFileError(file: file, problem: problem) }
    let fields = LittleEndianFields(bytes: bytes)
    guard let end = Self.end(fields) else {
      throw error("the archive has no directory; the file is cut short or is no ZIP archive")
    }
    let damaged = error("the archive's directory is damaged")
    var place = end
    guard let first = fields.uint16(end + 4), let own = fields.uint16(end + 6), var count = fields.uint16(end + 10),
      var size = fields.uint32(end + 12), var start = fields.uint32(end + 16)
    else { throw damaged }
    if count == 0xFFFF || size == 0xFFFF_FFFF || start == 0xFFFF_FFFF {
      guard fields.uint32(end - 20) == 0x0706_4B50, let wide = fields.uint64(end - 12),
        fields.uint32(wide) == 0x0606_4B50, let wideCount = fields.uint64(wide + 32),
        let wideSize = fields.uint64(wide + 40), let wideStart = fields.uint64(wide + 48)
      else { throw damaged }
      (count, size, start, place) = (wideCount, wideSize, wideStart, wide)
    } else if first != 0 || own != 0 {
      throw error("the archive is spread over several files")
    }
    // Each entry takes 46 bytes at least. Between the last one and the end may lie a 64-bit record that is not needed.
    guard start <= place, size <= place - start, count <= size / 46 else { throw damaged }

    var entries: [ZipEntry] = []
    var seen: Set<ExactString> = []
    place = start
    for _ in 0..<count {
      let (entry, length) = try Self.entry(at: place, in: fields, end: start + size, file: file)
      guard seen.insert(ExactString(entry.name)).inserted else { throw error("\(entry.name.quoted) is in it twice") }
      entries.append(entry)
      place += length
    }
    guard place == start + size else { throw damaged }
    self.entries = entries
    self.start = start
  }

  /// The record that ends every archive: 22 bytes and a comment, whose length it holds.
  private static func end(_ fields: LittleEndianFields) -> Int? {
    let last = fields.bytes.count - 22
    guard last >= 0 else { return nil }
    return (max(0, last - 0xFFFF)...last).reversed().first {
      fields.uint32($0) == 0x0605_4B50 && fields.uint16($0 + 20) == last - $0
    }
  }

  private static func entry(
    at place: Int, in fields: LittleEndianFields, end: Int, file: String
  ) throws(ModelFileError) -> (ZipEntry, length: Int) {
    func error(_ problem: String) -> ModelFileError { ModelFileError(file: file, problem: problem) }
    guard fields.uint32(place) == 0x0201_4B50, place + 46 <= end, let flags = fields.uint16(place + 8),
      let method = fields.uint16(place + 10), let checksum = fields.uint32(place + 16),
      var stored = fields.uint32(place + 20), var count = fields.uint32(place + 24),
      let nameLength = fields.uint16(place + 28), let extraLength = fields.uint16(place + 30),
      let commentLength = fields.uint16(place + 32), var start = fields.uint32(place + 42),
      place + 46 + nameLength + extraLength + commentLength <= end
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
