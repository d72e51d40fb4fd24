import Foundation
import Testing

@testable import ModelFiles

/// Files that NumPy wrote (Goldens/numpy/make_numpy_goldens.py), with the values that NumPy gives.
@Suite struct NumPyGoldenTests {
  struct Case: Decodable, CustomTestStringConvertible {
    let file: String
    let type: String
    let shape: [Int]
    let bits: [UInt32]
    let same: Bool

    var path: String { "\(Places.goldens)/numpy/\(file)" }
    var testDescription: String { file }
  }

  static let cases: [Case] =
    (try? String(contentsOfFile: "\(Places.goldens)/numpy/cases.jsonl", encoding: .utf8))?
    .split(separator: "\n").compactMap { try? JSONDecoder().decode(Case.self, from: Data($0.utf8)) }
    ?? []

  @Test func allCasesAreThere() {
    #expect(Self.cases.count == 36)
    #expect(Set(Self.cases.map { String($0.type.dropFirst()) }) == Set(NumPyType.Element.allCases.map { $0.rawValue }))
    #expect(Self.cases.contains { $0.type.hasPrefix(">") })
  }

  @Test(arguments: cases)
  func isRead(golden: Case) throws {
    let array = try NumPyArray(path: golden.path)
    #expect(array.shape == golden.shape)
    #expect(array.type.description == golden.type)
    #expect(array.values.count == golden.bits.count)
    for (value, bits) in zip(array.values, golden.bits) {
      let expected = Float(bitPattern: bits)
      #expect(value.bitPattern == bits || value.isNaN && expected.isNaN)
    }
  }

  @Test(arguments: cases.filter { $0.same })
  func isWrittenAlike(golden: Case) throws {
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: golden.path)))
    let values = golden.bits.map { Float(bitPattern: $0) }
    #expect(NumPyWriter.file(values, shape: golden.shape) == bytes)
  }
}
