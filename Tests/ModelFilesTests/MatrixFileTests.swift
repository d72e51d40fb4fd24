import Foundation
import Testing

@testable import ModelFiles

/// Matrices read a few rows at a time.
@Suite struct MatrixFileTests {
  /// Files that NumPy wrote, of every type and both orders, by rows.
  @Test(arguments: NumPyGoldenTests.cases)
  func rowsAreThoseOfNumPy(golden: NumPyGoldenTests.Case) throws {
    guard golden.shape.count == 2, !golden.shape.contains(0) else {
      let error = failure { try MatrixFile(path: golden.path) }
      let says = golden.shape.count == 2 ? "holds no numbers" : "where a matrix is expected"
      #expect(error?.problem.contains(says) == true, "\(error?.description ?? "no error")")
      return
    }
    let file = try MatrixFile(path: golden.path)
    let (rows, columns) = (golden.shape[0], golden.shape[1])
    #expect(file.rows == rows && file.columns == columns && file.tensor == nil)
    func isExpected(_ values: some Collection<Float>, from row: Int) -> Bool {
      zip(values, golden.bits.dropFirst(row * columns)).allSatisfy { value, bits in
        value.bitPattern == bits || value.isNaN && Float(bitPattern: bits).isNaN
      }
    }
    for first in 0..<rows {
      for end in first...rows {
        let values = try file.floats(first..<end)
        #expect(values.count == (end - first) * columns && isExpected(values, from: first), "\(first)..<\(end)")
      }
    }
    for row in 0..<rows {
      for column in 0..<columns {
        let (element, bits) = (Float(try file.element(row, column)), golden.bits[row * columns + column])
        #expect(element.bitPattern == bits || element.isNaN && Float(bitPattern: bits).isNaN)
      }
    }
  }

  private static let elements: [Float] = [1, 2, -3, 4, 0.5, 6]

  @Test func tensorsOfEveryFloatingType() throws {
    let scratch = try Scratch()
    var writer = SafetensorsWriter()
    writer.add("F32", floats: Self.elements, shape: [3, 2])
    writer.add("F16", floats: Self.elements, shape: [3, 2], as: .float16)
    let halves = Self.elements.map { UInt16($0.bitPattern >> 16) }.withUnsafeBytes { Array($0) }
    writer.add("BF16", StoredTensor(type: .bfloat16, shape: [3, 2], bytes: halves))
    let doubles = Self.elements.map(Double.init).withUnsafeBytes { Array($0) }
    writer.add("F64", StoredTensor(type: .float64, shape: [3, 2], bytes: doubles))
    try writer.write(to: scratch.file("m.safetensors"))
    for name in ["F32", "F16", "BF16", "F64"] {
      let file = try MatrixFile(path: scratch.file("m.safetensors"), tensor: name)
      #expect(file.rows == 3 && file.columns == 2 && file.tensor == name)
      #expect(try file.floats(0..<3) == Self.elements && file.floats(1..<2) == [-3, 4] && file.floats(3..<3) == [])
    }
  }

  @Test func whatIsNoMatrixOfNumbers() throws {
    let scratch = try Scratch()
    var writer = SafetensorsWriter()
    writer.add("vector", floats: [1, 2], shape: [2])
    writer.add("cube", floats: [Float](repeating: 1, count: 8), shape: [2, 2, 2])
    writer.add("ids", integers: [1, 2], shape: [1, 2])
    try writer.write(to: scratch.file("m.safetensors"))
    for (name, says) in [
      ("vector", "shape (2,), where a matrix is expected"), ("cube", "shape (2, 2, 2)"), ("ids", "holds I32"),
      ("vectr", "vector"),
    ] {
      let error = failure { try MatrixFile(path: scratch.file("m.safetensors"), tensor: name) }
      #expect(error?.description.contains(says) == true, "\(error?.description ?? "no error")")
    }
    // A file that was cut is refused when it is opened, not when it is read.
    for name in ["m.safetensors", "x.npy"] {
      if name == "x.npy" { try scratch.write(name, NumPyWriter.file(Self.elements, shape: [3, 2])) }
      let whole = try Data(contentsOf: URL(fileURLWithPath: scratch.file(name)))
      try scratch.write("cut-" + name, Array(whole.dropLast()))
      let error = failure {
        name == "x.npy"
          ? try MatrixFile(path: scratch.file("cut-" + name))
          : try MatrixFile(path: scratch.file("cut-" + name), tensor: "cube")
      }
      #expect(error != nil)
    }
  }
}
