import Engine
import Foundation
import Geometry
import ModelFiles
import TestDevices
import Testing
import Weft

/// Vectors in files, of any type and order.
@Suite struct VectorFileTests {
  private let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("geometry-\(UUID().uuidString)")

  init() throws { try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true) }

  private func path(_ name: String) -> String { scratch.appendingPathComponent(name).path }

  /// A `.npy` file by hand.
  private func writeArray(_ name: String, descr: String, shape: String, fortran: Bool = false, _ bytes: [UInt8]) throws
  {
    var text = "{'descr': '\(descr)', 'fortran_order': \(fortran ? "True" : "False"), 'shape': \(shape), }"
    text += String(repeating: " ", count: 63 - (10 + text.utf8.count) % 64) + "\n"
    let length = UInt16(text.utf8.count)
    let header: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 255), UInt8(length >> 8)]
    try Data(header + Array(text.utf8) + bytes).write(to: URL(fileURLWithPath: path(name)))
  }

  private func bytes<Number: BitwiseCopyable>(_ numbers: [Number]) -> [UInt8] {
    numbers.withUnsafeBytes { Array($0) }
  }

  /// Three vectors of two elements.
  private static let elements: [Float] = [1, 2, -3, 4, 0.5, 6]

  @Test func arraysOfEveryKind() throws {
    let doubles = Self.elements.map(Double.init)
    try writeArray("f4.npy", descr: "<f4", shape: "(3, 2)", bytes(Self.elements))
    try writeArray("f8.npy", descr: "<f8", shape: "(3, 2)", bytes(doubles))
    try writeArray("big.npy", descr: ">f4", shape: "(3, 2)", bytes(Self.elements.map(\.bitPattern.byteSwapped)))
    let columns: [Float] = [1, -3, 0.5, 2, 4, 6]
    try writeArray("fortran.npy", descr: "<f4", shape: "(3, 2)", fortran: true, bytes(columns))
    for name in ["f4.npy", "f8.npy", "big.npy", "fortran.npy"] {
      let file = try VectorFile(path: path(name))
      #expect(file.count == 3 && file.dimension == 2)
      #expect(try file.floats(0..<3) == Self.elements, "\(name)")
      #expect(try file.floats(1..<2) == [-3, 4], "\(name)")
    }
    try writeArray("u1.npy", descr: "|u1", shape: "(3, 2)", [1, 2, 3, 4, 5, 255])
    #expect(try VectorFile(named: path("u1.npy")).floats(2..<3) == [5, 255])
  }

  @Test func tensors() throws {
    // The first tensor leaves the second's numbers where none of their size may start.
    let header = """
      {"ids":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},\
      "w":{"dtype":"F32","shape":[3,2],"data_offsets":[3,27]},"h":{"dtype":"BF16","shape":[1,2],"data_offsets":[27,31]}}
      """
    var file = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8)
    file += [7, 8, 9] + bytes(Self.elements) + [0x80, 0x3F, 0, 0xC0]
    try Data(file).write(to: URL(fileURLWithPath: path("m.safetensors")))
    #expect(try VectorFile(named: path("m.safetensors") + "#w").floats(0..<3) == Self.elements)
    #expect(try VectorFile(named: path("m.safetensors") + "#h").floats(0..<1) == [1, -2])
    for (name, says) in [
      ("#ids", "shape (3,), where a matrix is expected"), ("#v", "not among the 3 tensors"),
      ("", "which of its tensors?"),
    ] {
      let error = #expect(throws: (any Error).self) { try VectorFile(named: path("m.safetensors") + name) }
      #expect("\(error.map { "\($0)" } ?? "")".contains(says))
    }
  }

  @Test func whatIsNoMatrixIsRefused() throws {
    try writeArray("3d.npy", descr: "<f4", shape: "(1, 3, 2)", bytes(Self.elements))
    try writeArray("none.npy", descr: "<f4", shape: "(0, 2)", [])
    try Data("text".utf8).write(to: URL(fileURLWithPath: path("text.npy")))
    for (name, says) in [
      ("3d.npy", "x.reshape(len(x), -1)"), ("none.npy", "holds no numbers"), ("text.npy", "not a .npy file"),
      ("absent.npy", "cannot be opened"),
    ] {
      let error = #expect(throws: ModelFileError.self) { try VectorFile(named: path(name)) }
      #expect(error?.description.contains(says) == true, "\(error?.description ?? "no message")")
    }
  }

  /// Wider types are rounded, and the file says so; what float32 cannot hold at all is named as it stands there.
  @Test func numbersThatFloat32DoesNotHold() async throws {
    let elements: [Double] = [1, 2, 0.1, 4, 1e300, 6]
    try writeArray("wide.npy", descr: "<f8", shape: "(3, 2)", bytes(elements))
    try writeArray("big.npy", descr: ">f8", shape: "(3, 2)", bytes(elements.map(\.bitPattern.byteSwapped)))
    let columns = [0, 2, 4, 1, 3, 5].map { elements[$0] }
    try writeArray("columns.npy", descr: "<f8", shape: "(3, 2)", fortran: true, bytes(columns))
    let engine = try await TestDevice.reference.engine()
    for name in ["wide.npy", "big.npy", "columns.npy"] {
      let file = try VectorFile(named: path(name))
      #expect(try file.rounding == "float64, rounded to float32" && file.floats(1..<2) == [0.1, 4])
      let error = await #expect(throws: GeometryError.self) { _ = try await engine.neighbours(of: file, k: 1) }
      #expect(error?.message.contains("vector 2 has 1e+300 at 0, which is beyond float32") == true, "\(name)")
    }
    try writeArray("nan.npy", descr: "<f8", shape: "(2, 1)", bytes([1, Double.nan]))
    let nan = try VectorFile(named: path("nan.npy"))
    let error = await #expect(throws: GeometryError.self) { _ = try await engine.neighbours(of: nan, k: 1) }
    #expect(error?.message.contains("vector 1 has nan at 0, where a finite number is expected") == true)
    try writeArray("f4.npy", descr: "<f4", shape: "(3, 2)", bytes(Self.elements))
    try writeArray("i8.npy", descr: "<i8", shape: "(3, 2)", bytes([1, 2, 3, 4, 5, 6]))
    #expect(try VectorFile(named: path("f4.npy")).rounding == nil)
    #expect(try VectorFile(named: path("i8.npy")).rounding?.contains("beyond 2^24") == true)
  }

  /// From a file, in shards, as from memory; also where each vector has to be converted.
  @Test(arguments: ["<f4", "<f8"]) func neighboursFromAFile(descr: String) async throws {
    let elements = Draws.gaussian(120, 3, seed: 31)
    let data = descr == "<f4" ? bytes(elements) : bytes(elements.map(Double.init))
    try writeArray("x.npy", descr: descr, shape: "(120, 3)", data)
    let engine = try await TestDevice.reference.engine()
    var options = NeighbourOptions()
    options.shardBytes = 4 * 3 * 50
    let fromFile = try await engine.neighbours(of: try VectorFile(path: path("x.npy")), k: 5, options: options)
    #expect(fromFile == (try await engine.neighbours(of: try Vectors(elements, dimension: 3), k: 5)))
  }
}
