import Foundation
import Testing

@testable import WeftCommand

@Suite struct OutputFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func path(_ name: String) -> String { folder.path + "/" + name }

  @Test func fileAppearsWithTheCommit() throws {
    let output = try OutputFile(path: path("out"), capacity: 4)
    try output.write(Array("hello ".utf8))
    try output.write(Array("you".utf8))
    #expect(folder.contents(of: "out") == nil)
    #expect(folder.names.count == 1)
    try output.commit()
    #expect(folder.contents(of: "out") == "hello you")
    #expect(folder.names == ["out"])
  }

  @Test func nothingIsLeftWithoutACommit() throws {
    _ = try folder.file("old", "before".utf8)
    do {
      let fresh = try OutputFile(path: path("new"))
      let replacing = try OutputFile(path: path("old"))
      try fresh.write(Array("half".utf8))
      try replacing.write(Array("half".utf8))
      try replacing.flush()
      #expect(folder.names.count == 3)
    }
    #expect(folder.names == ["old"])
    #expect(folder.contents(of: "old") == "before")
  }

  @Test func replacedFileKeepsItsModeAndLink() throws {
    let target = try folder.file("target", "before".utf8)
    #expect(chmod(target, 0o640) == 0)
    #expect(symlink("target", path("link")) == 0)
    let output = try OutputFile(path: path("link"))
    try output.write(Array("after".utf8))
    try output.commit()
    var status = stat()
    #expect(lstat(path("link"), &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
    #expect(stat(target, &status) == 0 && status.st_mode & 0o777 == 0o640)
    #expect(folder.contents(of: "target") == "after")
    #expect(folder.names == ["link", "target"])
  }

  @Test func devicesAreWrittenAndNotReplaced() throws {
    let output = try OutputFile(path: "/dev/null")
    try output.write([1, 2, 3])
    try output.commit()
    var status = stat()
    #expect(stat("/dev/null", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
  }

  @Test func fullDiskIsAClearError() throws {
    let output = try OutputFile(path: "/dev/full", capacity: 8)
    let error = #expect(throws: OutputError.self) {
      try output.write(Array("far too much".utf8))
    }
    #expect(error?.description == "cannot write /dev/full: No space left on device")
  }

  @Test func placesThatCannotBeWrittenAreRefusedAtOnce() throws {
    #expect(throws: OutputError.failed(path: folder.path, code: EISDIR)) {
      try OutputFile(path: folder.path)
    }
    #expect(throws: OutputError.failed(path: path("no/out"), code: ENOENT)) {
      try OutputFile(path: path("no/out"))
    }
    #expect(throws: OutputError.self) { try OutputFile(path: "") }
    #expect(throws: OutputError.self) { try OutputFile(path: path("no/")) }
  }

  @Test func readerThatLeavesIsNoCrash() throws {
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    close(ends[0])
    defer { close(ends[1]) }
    let output = OutputFile(stream: ends[1], capacity: 0)
    #expect(throws: OutputError.readerLeft) { try output.write([1]) }
  }

  @Test func streamsAreFlushed() throws {
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    defer { close(ends[0]) }
    do {
      let output = OutputFile(stream: ends[1], capacity: 100)
      try output.write([1, 2])
    }
    let output = OutputFile(stream: ends[1], capacity: 100)
    try output.write([3])
    try output.commit()
    close(ends[1])
    let reading = FileHandle(fileDescriptor: ends[0], closeOnDealloc: false)
    #expect(try reading.readToEnd() == Data([1, 2, 3]))
  }
}
