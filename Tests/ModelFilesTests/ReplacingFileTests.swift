import Files
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
    let missing = scratch.file("none/f")
    #expect(throws: WriteError(path: missing, code: ENOENT)) { try ReplacingFile(missing) }
    #expect(failure { try writeFile([1], to: missing) }?.problem.hasPrefix("cannot be written") == true)
  }

  @Test func whatAKilledProcessLeftIsRemoved() throws {
    let scratch = try Scratch()
    let working = try ReplacingFile(scratch.file("f"))
    for name in [".f.123.partial", "f", ".fg.123.partial", ".f.123", "f.123.partial"] {
      try Data("x".utf8).write(to: URL(fileURLWithPath: scratch.file(name)))
    }
    ReplacingFile.removeAbandoned(scratch.file("f"))
    let left = try FileManager.default.contentsOfDirectory(atPath: scratch.path).sorted()
    #expect(left.filter { $0.hasPrefix(".f.") && $0.hasSuffix(".partial") }.count == 1, "the one at work: \(left)")
    #expect(left.count == 5 && !left.contains(".f.123.partial") && left.contains(".fg.123.partial"))
    try working.write([7])
    try working.commit()
    #expect(FileManager.default.contents(atPath: scratch.file("f")) == Data([7]))
  }

  @Test func hiddenNamesTellWhatTheyAreFor() {
    #expect(ReplacingFile.target(ofUnfinished: ".a.txt.9z.partial") == "a.txt")
    for name in ["a.txt", "a.txt.9z.partial", ".a.partial", ".partial", ".a.txt.9z.tmp"] {
      #expect(ReplacingFile.target(ofUnfinished: name) == nil, "\(name)")
    }
  }

  @Test func permissionsAreThoseAskedFor() throws {
    let scratch = try Scratch()
    for permissions: UInt32 in [0o600, 0o646] {
      let file = try ReplacingFile(scratch.file("f"), permissions: permissions, isDurable: false)
      try file.write([1])
      try file.commit()
      var status = stat()
      #expect(stat(scratch.file("f"), &status) == 0 && UInt32(status.st_mode) & 0o777 == permissions)
    }
  }

  @Test func aFolderAppearsWhole() throws {
    let scratch = try Scratch()
    let target = scratch.file("new")
    do {
      let folder = try StagingFolder(beside: target)
      try Data("x".utf8).write(to: URL(fileURLWithPath: "\(folder.path)/f"))
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).isEmpty, "removed without a commit")
    let folder = try StagingFolder(beside: target)
    try Data("x".utf8).write(to: URL(fileURLWithPath: "\(folder.path)/f"))
    try folder.commit(as: target)
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == ["new"])

    let second = try StagingFolder(beside: target)
    #expect(throws: WriteError.self, "a folder that is not empty stays") { try second.commit(as: target) }
    for name in ["f", "g"] { try Data("y".utf8).write(to: URL(fileURLWithPath: "\(second.path)/\(name)")) }
    try second.commit(["g", "f"], into: target)
    #expect(try FileManager.default.contentsOfDirectory(atPath: target).sorted() == ["f", "g"])
    #expect(FileManager.default.contents(atPath: "\(target)/f") == Data("y".utf8))
    #expect(throws: WriteError(path: "\(target)/h", code: ENOENT)) { try second.commit(["h"], into: target) }
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
