import Foundation
import Testing

@testable import WeftCommand

@Suite struct LineReaderTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func lines(
    _ paths: [String], blankLines: LineReader.BlankLines = .keep, limit: Int = 100,
    chunkSize: Int = 7
  ) throws -> [InputLine] {
    var reader = try LineReader(
      paths: paths, blankLines: blankLines, limit: limit, chunkSize: chunkSize)
    var lines: [InputLine] = []
    while let batch = try reader.nextBatch() {
      #expect(!batch.isEmpty)
      lines += batch
    }
    return lines
  }

  private func texts(_ bytes: [UInt8], chunkSize: Int = 7) throws -> [String?] {
    try lines([folder.file("input", bytes)], chunkSize: chunkSize).map { line in
      (try? line.content.get()).map { String(decoding: $0, as: UTF8.self) }
    }
  }

  @Test(
    arguments: [
      ("", []), ("a", ["a"]), ("a\n", ["a"]), ("a\nb", ["a", "b"]), ("\n", [""]),
      ("\n\na\n\n", ["", "", "a", ""]), ("a\r\nb\r\n", ["a", "b"]),
      ("a\r\r\nb\rc", ["a\r", "b\rc"]),
      ("\r\n", [""]), ("\u{FEFF}a\n\u{FEFF}b", ["a", "\u{FEFF}b"]), ("\u{FEFF}", []),
      ("\u{FEFF}\n", [""]),
      (
        "long enough for several chunks\nshort\n\n0123456789ab",
        [
          "long enough for several chunks", "short", "", "0123456789ab",
        ]
      ),
    ] as [(String, [String])])
  func linesAreCut(input: String, expected: [String]) throws {
    for chunkSize in [1, 2, 3, 7, 1 << 16] {
      #expect(try texts(Array(input.utf8), chunkSize: chunkSize) == expected)
    }
  }

  @Test func bytesNeedNotBeText() throws {
    let path = try folder.file("bytes", [0xFF, 0x00, 0x0A, 0x80])
    #expect(try lines([path]).map(\.content) == [.success([0xFF, 0]), .success([0x80])])
  }

  @Test func blankLinesAreCountedWhenSkipped() throws {
    let path = try folder.file("blank", "\n \t\r\na\n\n b \n".utf8)
    let found = try lines([path], blankLines: .skip)
    #expect(found.map(\.number) == [3, 5])
    #expect(try found.map { try $0.content.get() } == [Array("a".utf8), Array(" b ".utf8)])
  }

  @Test(arguments: [1, 3, 64, 1000])
  func tooLongLinesAreLeftOut(chunkSize: Int) throws {
    let long = String(repeating: "x", count: 300)
    let path = try folder.file("long", "a\n\(long)\nb\n\(long)".utf8)
    let found = try lines([path], limit: 10, chunkSize: chunkSize).map(\.content)
    let tooLong = Result<[UInt8], LineTooLong>.failure(LineTooLong(limit: 10))
    #expect(found == [.success([0x61]), tooLong, .success([0x62]), tooLong])
  }

  @Test(arguments: [1, 5, 1000])
  func limitCountsTheLineAlone(chunkSize: Int) throws {
    let path = try folder.file("edge", "\u{FEFF}0123456789\r\n0123456789\n01234567890\n".utf8)
    let found = try lines([path], limit: 10, chunkSize: chunkSize).map(\.content)
    let ten = Array("0123456789".utf8)
    #expect(found == [.success(ten), .success(ten), .failure(LineTooLong(limit: 10))])
  }

  @Test func inputsFollowOneAnother() throws {
    let first = try folder.file("first", "\u{FEFF}a\nb".utf8)
    let second = try folder.file("second", "\u{FEFF}c\n".utf8)
    let empty = try folder.file("empty", "".utf8)
    let found = try lines([first, empty, second])
    #expect(try found.map { try $0.content.get() } == [[0x61], [0x62], [0x63]])
    #expect(found.map(\.number) == [1, 2, 3])
    #expect(found.map(\.numberInSource) == [1, 2, 1])
    #expect(found.map(\.source) == [first, first, second])
  }

  @Test func everyInputIsCheckedFirst() throws {
    let present = try folder.file("present", "a\n".utf8)
    let missing = folder.path + "/missing"
    #expect(throws: InputError(path: missing, reason: "No such file or directory")) {
      try LineReader(paths: [present, missing])
    }
    #expect(throws: InputError(path: folder.path, reason: "it is a directory")) {
      try LineReader(paths: [present, folder.path])
    }
    #expect(
      InputError(path: "a.jsonl", reason: "No such file or directory").description
        == "cannot read a.jsonl: No such file or directory")
  }

  @Test func namedPipesAreRead() async throws {
    let pipe = folder.path + "/pipe"
    #expect(mkfifo(pipe, 0o600) == 0)
    let reader = try LineReader(paths: [pipe], blankLines: .keep)
    let writing = Thread {
      let file = FileHandle(forWritingAtPath: pipe)
      file?.write(Data("a\nb\n".utf8))
      try? file?.close()
    }
    writing.start()
    var texts: [[UInt8]] = []
    for try await line in AsyncInputLines(reader) { texts.append(try line.content.get()) }
    #expect(texts == [[0x61], [0x62]])
  }

  @Test func asynchronousLinesKeepTheirOrder() async throws {
    let path = try folder.file("many", (1...500).map { "\($0)\n" }.joined().utf8)
    var numbers: [Int] = []
    for try await line in AsyncInputLines(try LineReader(paths: [path], chunkSize: 64)) {
      #expect(try line.content.get() == Array(String(line.number).utf8))
      numbers.append(line.number)
    }
    #expect(numbers == Array(1...500))
  }

  @Test func linesCanBeCountedAhead() throws {
    let first = try folder.file("first", "a\n\n \r\nb".utf8)
    let second = try folder.file("second", "\n".utf8)
    #expect(LineCount.count(in: [first, second], blankLines: .skip) == 2)
    #expect(LineCount.count(in: [first, second], blankLines: .keep) == 5)
    #expect(LineCount.count(in: [first, "-"], blankLines: .skip) == nil)
    #expect(LineCount.count(in: [], blankLines: .skip) == nil)
    #expect(LineCount.count(in: ["/dev/null"], blankLines: .skip) == nil)
    #expect(LineCount.count(in: [first], blankLines: .skip, byteLimit: 3) == nil)
  }
}
