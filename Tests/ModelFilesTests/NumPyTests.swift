import Foundation
import Testing

@testable import ModelFiles

/// The rules of the format, one bad file each.
@Suite struct NumPyTests {
  private func file(
    _ header: String, data count: Int = 0, version: UInt8 = 1, length: Int? = nil
  ) -> [UInt8] {
    let length = length ?? header.utf8.count
    let size = (0..<(version == 1 ? 2 : 4)).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
    return NumPyHeader.magic + [version, 0] + size + Array(header.utf8)
      + (0..<count).map { UInt8(truncatingIfNeeded: $0) }
  }

  private func read(_ bytes: [UInt8]) throws -> NumPyArray {
    let scratch = try Scratch()
    return try NumPyArray(path: try scratch.write("x.npy", bytes))
  }

  @Test(arguments: [
    "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }   \n",
    "{'descr':'|u1','fortran_order':False,'shape':(2,3)}",
    "  {\"shape\" : ( 2 ,\t3, ) , \"descr\": \"|u1\",\n'fortran_order':False,}\r\n",
    "{'fortran_order': False, 'shape': (2, 3), 'descr': '<u1'}",
  ])
  func tolerated(header: String) throws {
    for version: UInt8 in 1...3 {
      let array = try read(file(header, data: 6, version: version))
      #expect(array.shape == [2, 3] && array.values == [0, 1, 2, 3, 4, 5])
      #expect(array.type.description == "|u1")
    }
  }

  @Test(arguments: [
    ("", 0, "'{' expected"),
    ("[]", 0, "'{' expected"),
    ("{}", 0, "'descr' is missing"),
    ("{'descr': '<f4', 'shape': (1,)}", 4, "'fortran_order' is missing"),
    ("{'descr': '<f4', 'fortran_order': False}", 4, "'shape' is missing"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)", 4, "'}' expected"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", 4, "text after the end"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}\0", 4, "text after the end"),
    ("{'descr': '<f4',, 'fortran_order': False, 'shape': (1,)}", 4, "a key in quotes expected"),
    ("{descr: '<f4', 'fortran_order': False, 'shape': (1,)}", 4, "a key in quotes expected"),
    ("{'descr' '<f4', 'fortran_order': False, 'shape': (1,)}", 4, "':' expected"),
    ("{'descr': '<f4', 'descr': '<f4', 'shape': (1,)}", 4, "'descr' appears twice at byte 27"),
    ("{'descr': '<f4', 'x': 1, 'shape': (1,)}", 4, "unexpected key 'x'"),
    ("{'descr': '<f4, 'fortran_order': False, 'shape': (1,)}", 4, "expected"),
    ("{'descr': '<f4", 0, "a text without end"),
    (#"{'descr': '\x3cf4', 'fortran_order': False, 'shape': (1,)}"#, 4, "with escapes"),
    ("{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}", 4, "True or False expected"),
    ("{'descr': '<f4', 'fortran_order': false, 'shape': (1,)}", 4, "True or False expected"),
    ("{'descr': '<f4', 'fortran_order': Falsehood, 'shape': (1,)}", 4, "expected"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': [1]}", 4, "'(' expected"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (1)}", 4, "of one dimension"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (,)}", 4, "a size expected"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", 4, "a size expected"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (1L,)}", 4, "of one dimension"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (1.0,)}", 4, "of one dimension"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2", 4, "')' expected"),
    (
      "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", 4,
      "a size too large"
    ),
    (
      "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", 4,
      "shape (4294967296, 4294967296) is too large"
    ),
    (
      "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 4611686018427387904)}", 0,
      "is too large"
    ),
    (
      "{'descr': '|u1', 'fortran_order': False, 'shape': (9223372036854775807,)}", 4,
      "cut short by 9223372036854775803"
    ),
    (
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", 20,
      "shape (2, 3) of <f4 takes 24 bytes, 20 found after the header; the file is cut short by 4"
    ),
    (
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", 9,
      "shape (2,) of <f4 takes 8 bytes, 9 found after the header; the file is too long by 1"
    ),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': ()}", 0, "shape () of <f4 takes 4 bytes"),
  ])
  func refusedHeader(header: String, data: Int, problem: String) {
    let error = failure { try read(file(header, data: data)) }
    #expect(error?.description.contains(problem) == true, "\(error?.description ?? "accepted")")
  }

  @Test(arguments: [
    ("|O", "never loaded"), ("<c8", "complex"), (">c16", "complex"), ("<U5", "text"),
    ("|S3", "text"), ("|V8", "raw bytes"), ("<M8[ns]", "dates"), ("<m8[s]", "dates"),
    ("<f16", "extended"), ("<f3", "unknown element type '<f3'"), ("|f4", "unknown"),
    ("=f4", "unknown"), ("f4", "unknown"), ("", "unknown"), ("<", "unknown"), ("<i4\u{7F}", "unknown"),
  ])
  func refusedType(name: String, problem: String) {
    let header = "{'descr': '\(name)', 'fortran_order': False, 'shape': (1,)}"
    let error = failure { try read(file(header, data: 16)) }
    #expect(error?.problem.contains(problem) == true, "\(error?.description ?? "accepted")")
  }

  @Test func structuredTypesAreRefused() {
    let header = "{'descr': [('x', '<f4'), ('y', '<f4')], 'fortran_order': False, 'shape': (1,)}"
    #expect(failure { try read(file(header, data: 8)) }?.problem.contains("structured") == true)
  }

  @Test func tooManyDimensions() throws {
    func header(_ count: Int) -> String {
      let shape = [String](repeating: "1", count: count).joined(separator: ", ")
      return "{'descr': '|u1', 'fortran_order': False, 'shape': (\(shape))}"
    }
    #expect(try read(file(header(64), data: 1)).shape.count == 64)
    #expect(failure { try read(file(header(65), data: 1)) }?.problem.contains("64 dim") == true)
  }

  @Test func otherFilesAreNamed() {
    func problem(_ bytes: [UInt8]) -> String { failure { try read(bytes) }?.problem ?? "accepted" }
    #expect(problem([]).contains("empty"))
    #expect(problem([0x80, 4, 0x95]).contains("pickle"))
    #expect(problem([0x50, 0x4B, 3, 4]).contains(".npz"))
    #expect(problem(Array("hello".utf8)).contains("not a .npy file"))
    #expect(problem(NumPyHeader.magic).contains("too few"))
    #expect(problem(NumPyHeader.magic + [2, 0, 1, 0]).contains("too few"))
    for (major, minor): (UInt8, UInt8) in [(0, 0), (4, 0), (1, 1), (255, 255)] {
      #expect(problem(NumPyHeader.magic + [major, minor, 0, 0, 0, 0]).contains("\(major).\(minor)"))
    }
    #expect(problem(file("{}", length: 3)).contains("cut short"))
    #expect(problem(file("{}", version: 2, length: 0xFFFF_FFFF)).contains("claims 4294967295"))
    let padded = "{}" + String(repeating: " ", count: 1 << 20)
    #expect(problem(file(padded, version: 2)).contains("allowed"))
  }

  @Test func refusedKindsOfFile() throws {
    let scratch = try Scratch()
    #expect(failure { try NumPyArray(path: scratch.path) }?.problem.contains("directory") == true)
    let missing = failure { try NumPyArray(path: scratch.file("none")) }
    #expect(missing?.problem == "cannot be opened: No such file or directory")
  }

  @Test func nonFiniteValuesAreFound() throws {
    func array(_ values: [Float], _ shape: [Int]) throws -> NumPyArray {
      try read(NumPyWriter.file(values, shape: shape))
    }
    var values = [Float](repeating: 0.5, count: 24)
    #expect(try array(values, [2, 3, 4]).firstNonFinite == nil)
    try array(values, [2, 3, 4]).checkFinite(file: "x")
    values[23] = .nan
    values[18] = -.infinity
    let found = try array(values, [2, 3, 4])
    #expect(found.firstNonFinite == [1, 1, 2])
    #expect(
      failure { try found.checkFinite(file: "x.npy") }?.description
        == "x.npy: element (1, 1, 2): -inf, where a finite number is expected")
    #expect(try array([.nan], []).firstNonFinite == [])
    #expect(try array([], [0, 4]).firstNonFinite == nil)
  }

  @Test func damagedFilesNeverCrash() throws {
    let scratch = try Scratch()
    let valid = NumPyWriter.file([1, 2, 3, 4, 5, 6], shape: [2, 3])
    for count in 0..<valid.count {
      #expect(failure { try read(Array(valid[..<count])) } != nil)
    }
    var random = Seeded(1)
    for _ in 0..<2_000 {
      var bytes = valid
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let bit = Int.random(in: 0..<80 * 8, using: &random)
        bytes[bit / 8] ^= 1 << (bit % 8)
      }
      try scratch.write("t", bytes)
      _ = try? NumPyArray(path: scratch.file("t"))
    }
  }
}

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
