import Foundation
import Testing

@testable import ModelFiles

@Suite struct ReplacingFileTests {
  @Test func aFileAppearsWhenItIsCommitted() throws {
    let scratch = try Scratch()
    let path = scratch.file("f")
    try Data("old".utf8).write(to: URL(fileURLWithPath: path))
    let file = try ReplacingFile(path)
    try file.write(Array("ne".utf8))
    try file.write([])
    try file.write(Array("w".utf8))
    #expect(FileManager.default.contents(atPath: path) == Data("old".utf8))
    try file.commit()
    #expect(FileManager.default.contents(atPath: path) == Data("new".utf8))
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == ["f"])
  }

  @Test func withoutACommitNothingIsLeft() throws {
    let scratch = try Scratch()
    do { try ReplacingFile(scratch.file("f")).write([1]) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).isEmpty)
    #expect(failure { _ = try ReplacingFile(scratch.file("none/f")) }?.problem.hasPrefix("cannot be written") == true)
  }

  @Test func whatAKilledProcessLeftIsRemoved() throws {
    let scratch = try Scratch()
    let working = try ReplacingFile(scratch.file("f"))
    for name in ["f.123.tmp", "f", "fg.123.tmp", "f.123"] {
      try Data("x".utf8).write(to: URL(fileURLWithPath: scratch.file(name)))
    }
    ReplacingFile.removeAbandoned(scratch.file("f"))
    let left = try FileManager.default.contentsOfDirectory(atPath: scratch.path).sorted()
    #expect(left.filter { $0.hasPrefix("f.") && $0.hasSuffix(".tmp") }.count == 1, "the one at work: \(left)")
    #expect(left.count == 4 && !left.contains("f.123.tmp") && left.contains("fg.123.tmp"))
    try working.write([7])
    try working.commit()
    #expect(FileManager.default.contents(atPath: scratch.file("f")) == Data([7]))
  }

  @Test func checksumsAreZlibs() throws {
    // The check value of CRC-32 in every catalogue of such codes.
    var checksum = Checksum()
    checksum.add(Array("1234".utf8))
    checksum.add(Array("56789".utf8))
    #expect(checksum.value == 0xCBF4_3926 && checksum.count == 9 && checksum.hexadecimal == "cbf43926")
    #expect(Checksum().hexadecimal == "00000000")
    let scratch = try Scratch()
    try Data("123456789".utf8).write(to: URL(fileURLWithPath: scratch.file("f")))
    #expect(try Checksum(ofFile: scratch.file("f")) == checksum)
    var numbers = Checksum()
    numbers.add([UInt32(0x3433_3231), 0x3837_3635])
    numbers.add(Array("9".utf8))
    #expect(numbers == checksum, "little endian")
  }
}
