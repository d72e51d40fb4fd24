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
