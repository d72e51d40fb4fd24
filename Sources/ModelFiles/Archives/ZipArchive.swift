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
