import Foundation
import Testing

@testable import ModelFiles

@Suite struct SafetensorsWriterTests {
  @Test func whatIsWrittenIsRead() throws {
    let scratch = try Scratch()
    let path = scratch.file("x.safetensors")
    var writer = SafetensorsWriter(metadata: ["te\"xt\\": "line\n\u{1}é"])
    writer.add("ids", integers: [Int32.min, -1, .max], shape: [3])
    writer.add("half", floats: [1, -2, 0.1], shape: [1, 3], as: .float16)
    writer.add("nan", floats: [.nan, .infinity], shape: [2])
    writer.add("none", floats: [Float](), shape: [0])
    writer.add("näme \"quoted\"", floats: [7], shape: [])
    try writer.write(to: path)
    try writer.write(to: path)  // replaces

    let opened = try SafetensorsFile(path: path)
    #expect(opened.metadata == ["te\"xt\\": "line\n\u{1}é"])
    #expect(try opened.integers(named: "ids", shape: [3]) == [-2_147_483_648, -1, 2_147_483_647])
    #expect(try opened.floats(named: "half", shape: [1, 3]) == [1, -2, 0.099975586])
    #expect(try opened.floats(named: "nan")[0].isNaN)
    #expect(try opened.floats(named: "none", shape: [0]).isEmpty)
    #expect(try opened.floats(named: "näme \"quoted\"", shape: []) == [7])
    for entry in opened.tensors.values {
      #expect(entry.byteRange.lowerBound % entry.elementType.size == 0)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == ["x.safetensors"])
  }

  @Test func nothingIsLeftOfAFailure() throws {
    let scratch = try Scratch()
    let error = failure { try SafetensorsWriter().write(to: scratch.file("none/x")) }
    #expect(error?.problem.hasPrefix("cannot be written") == true)
    try FileManager.default.createDirectory(
      atPath: scratch.file("taken/inside"), withIntermediateDirectories: true)
    #expect(failure { try SafetensorsWriter().write(to: scratch.file("taken")) } != nil)
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == ["taken"])
  }
}
