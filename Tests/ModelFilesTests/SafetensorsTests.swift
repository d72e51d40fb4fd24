import Foundation
import Testing

@testable import ModelFiles

/// The format's rules, one hostile file each, and the reading of its element types.
@Suite struct SafetensorsTests {
  /// A file with this header text and this many bytes of data, counting from 0.
  private func file(_ header: String, data count: Int = 0, length: UInt64? = nil) -> [UInt8] {
    let length = length ?? UInt64(header.utf8.count)
    return withUnsafeBytes(of: length.littleEndian) { Array($0) } + Array(header.utf8)
      + (0..<count).map { UInt8(truncatingIfNeeded: $0) }
  }

  private func open(_ bytes: [UInt8]) throws -> SafetensorsFile {
    let scratch = try Scratch()
    return try SafetensorsFile(path: try scratch.write("x.safetensors", bytes))
  }

  @Test func validFile() throws {
    let opened = try open(
      file(
        """
        {"__metadata__":{"format":"pt"},"b":{"dtype":"I16","shape":[2],"data_offsets":[4,8]},\
        "a":{"dtype":"U8","shape":[2,2],"data_offsets":[0,4]},\
        "none":{"dtype":"F32","shape":[0,7],"data_offsets":[8,8]},\
        "one":{"dtype":"F64","shape":[],"data_offsets":[8,16]}}
        """, data: 16))
    #expect(opened.metadata == ["format": "pt"])
    #expect(opened.tensors.count == 4)
    #expect(opened.tensors["a"]?.shape == [2, 2] && opened.tensors["one"]?.count == 1)
    #expect(try opened.integers(named: "a", shape: [2, 2]) == [0, 1, 2, 3])
    #expect(try opened.integers(named: "b") == [0x0504, 0x0706])
    #expect(try opened.floats(named: "none", shape: [0, 7]).isEmpty)
    #expect(try opened.bytes(of: "b") == [4, 5, 6, 7])
  }

  @Test func noTensorsAtAll() throws {
    #expect(try open(file("{}")).tensors.isEmpty)
    #expect(try open(file("{}      ")).tensors.isEmpty)  // padding
  }

  @Test(arguments: [
    ("{", 0, "not valid JSON"),
    ("[]", 0, "not a JSON object"),
    (" {}", 0, "not a JSON object"),
    ("{}\u{0}", 0, "not valid JSON"),
    ("{}", 1, "the last 1 bytes belong to no tensor"),
    (#"{"a":7}"#, 0, "an object expected"),
    (#"{"__metadata__":[]}"#, 0, "an object expected"),
    (#"{"__metadata__":{"a":1}}"#, 0, "a string expected"),
    (#"{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}"#, 4, "unknown element type 'F31'"),
    (#"{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}}"#, 1, "unknown element type 'F4'"),
    (#"{"a":{"shape":[1],"data_offsets":[0,4]}}"#, 4, "'dtype' is missing"),
    (#"{"a":{"dtype":"F32","data_offsets":[0,4]}}"#, 4, "'shape' is missing"),
    (#"{"a":{"dtype":"F32","shape":[1]}}"#, 4, "'data_offsets' is missing"),
    (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4, "'shape' is missing or not"),
    (#"{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}"#, 4, "'shape' is missing or not"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}"#, 4, "not a pair"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}"#, 4, "not a pair"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4, "before they begin"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}"#, 4, "unexpected field 'x'"),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4, "takes 8 bytes, 4 found"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 3, "cut short"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8, "belong to no tensor"),
    (
      #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"#
        + #""b":{"dtype":"U8","shape":[4],"data_offsets":[3,7]}}"#, 7, "overlaps"
    ),
    (
      #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"#
        + #""b":{"dtype":"U8","shape":[4],"data_offsets":[5,9]}}"#, 9, "belong to no tensor"
    ),
    (
      #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"#
        + #""a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#, 2, "appears twice"
    ),
    (
      #"{"\u00e9":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"#
        + #""e\u0301":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#, 2, "Unicode forms"
    ),
    (
      #"{"a":{"dtype":"F64","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#, 0,
      "is too large"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[9223372036854775807],"data_offsets":[0,4]}}"#, 4,
      "is too large"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}"#, 4, "not a list"
    ),
    (
      #"{"a":{"dtype":"U8","shape":[8],"data_offsets":[9223372036854775799,9223372036854775807]}}"#,
      0, "cut short"
    ),
  ])
  func refusedHeader(header: String, data: Int, problem: String) {
    let error = failure { try open(file(header, data: data)) }
    #expect(error?.problem.contains(problem) == true, "\(error?.description ?? "accepted")")
  }

  @Test func refusedLengths() {
    #expect(failure { try open([]) }?.problem.contains("too few") == true)
    #expect(failure { try open([1, 2, 3, 4, 5, 6, 7]) }?.problem.contains("too few") == true)
    #expect(failure { try open(file("", length: 0)) }?.problem.contains("JSON") == true)
    #expect(failure { try open(file("{}", length: 3)) }?.problem.contains("cut short") == true)
    for length: UInt64 in [100_000_001, 1 << 63, .max] {
      #expect(failure { try open(file("{}", length: length)) }?.problem.contains("claims") == true)
    }
    #expect(failure { try open(file("{\"\u{FFFD}") + [0xFF]) } != nil)
  }

  @Test func refusedKindsOfFile() throws {
    let scratch = try Scratch()
    func problem(_ path: String) -> String? { failure { try SafetensorsFile(path: path) }?.problem }
    #expect(problem(scratch.path)?.contains("is a directory") == true)
    #expect(mkfifo(scratch.file("pipe"), 0o600) == 0)
    #expect(problem(scratch.file("pipe"))?.contains("is a pipe") == true)
    #expect(problem("/dev/zero")?.contains("is a device") == true)
    #expect(problem(scratch.file("none")) == "cannot be opened: No such file or directory")
    #expect(problem("a\u{0}b")?.contains("NUL") == true)
  }

  @Test func messagesNameEverything() throws {
    let scratch = try Scratch()
    let path = scratch.file("x.safetensors")
    var writer = SafetensorsWriter()
    writer.add("encoder.layer.0.weight", floats: [1, 2, 3, 4, 5, 6], shape: [3, 2])
    try writer.write(to: path)
    let opened = try SafetensorsFile(path: path)
    #expect(
      failure { try opened.floats(named: "encoder.layer.0.weight", shape: [2, 3]) }?.description
        == "\(path): tensor 'encoder.layer.0.weight': shape [2, 3] expected, [3, 2] found")
    #expect(
      failure { try opened.floats(named: "bert.encoder.layer.0.weight") }?.description
        == "\(path): tensor 'bert.encoder.layer.0.weight': not among the 1 tensors of the file; "
        + "the closest name is 'encoder.layer.0.weight'")
    #expect(failure { try opened.integers(named: "encoder.layer.0.weight") } != nil)
  }

  @Test func floatTypes() throws {
    func floats(_ type: String, _ data: [UInt8]) throws -> [Float] {
      let size = try #require(StoredType(rawValue: type)).size
      // An odd header length leaves the data unaligned.
      var header =
        #"{"a":{"dtype":"\#(type)","shape":[\#(data.count / size)],"#
        + #""data_offsets":[0,\#(data.count)]}}"#
      if header.utf8.count % 2 == 0 { header += " " }
      return try open(file(header) + data).floats(named: "a")
    }
    #expect(try floats("F32", [0, 0, 0x80, 0x3F, 1, 0, 0, 0x80]) == [1, -.leastNonzeroMagnitude])
    #expect(try floats("F16", [0, 0x3C, 1, 0, 0, 0xFC]) == [1, 0x1p-24, -.infinity])
    #expect(try floats("BF16", [0x80, 0x3F, 0x01, 0x00, 0x80, 0xFF]) == [1, 0x1p-133, -.infinity])
    #expect(try floats("BF16", [0xC0, 0x7F])[0].isNaN)
    let doubles: [Double] = [1 + 0x1p-24, 1 + 0x1.8p-23, 1e300, -0.0]
    let bytes = doubles.flatMap { value in
      withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
    }
    #expect(try floats("F64", bytes) == [1, 1 + 0x1p-22, .infinity, 0])
    for type in ["I64", "U8", "BOOL", "F8_E4M3", "C64"] {
      #expect(failure { try floats(type, [UInt8](repeating: 0, count: 8)) } != nil)
    }
  }

  @Test func integerTypes() throws {
    let bytes: [UInt8] = [0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]
    for (type, expected) in [
      ("I64", [-2]), ("I32", [-2, -1]), ("I16", [-2, -1, -1, -1]),
      ("U32", [0xFFFF_FFFE, 0xFFFF_FFFF]),
      ("U16", [0xFFFE, 0xFFFF, 0xFFFF, 0xFFFF]), ("I8", [-2] + Array(repeating: -1, count: 7)),
      ("U8", [254] + Array(repeating: 255, count: 7)), ("BOOL", Array(repeating: 1, count: 8)),
    ] {
      let header = #"{"a":{"dtype":"\#(type)","shape":[\#(expected.count)],"data_offsets":[0,8]}}"#
      #expect(try open(file(header) + bytes).integers(named: "a") == expected)
    }
    let header = #"{"a":{"dtype":"U64","shape":[1],"data_offsets":[0,8]}}"#
    #expect(failure { try open(file(header) + bytes).integers(named: "a") } != nil)
  }

  @Test func damagedFilesNeverCrash() throws {
    let scratch = try Scratch()
    let path = scratch.file("x.safetensors")
    var writer = SafetensorsWriter(metadata: ["k": "v"])
    writer.add("weight", floats: [1, 2, 3, 4], shape: [2, 2])
    writer.add("half", floats: [1, 2, 3], shape: [3], as: .float16)
    writer.add("ids", integers: [1, 2], shape: [2])
    try writer.write(to: path)
    let valid = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    for count in 0..<valid.count {
      #expect(
        failure { try SafetensorsFile(path: try scratch.write("t", Array(valid[..<count]))) } != nil
      )
    }
    var random = Seeded(1)
    for _ in 0..<3_000 {
      var bytes = valid
      let bit = Int.random(in: 0..<bytes.count * 8, using: &random)
      bytes[bit / 8] ^= 1 << (bit % 8)
      try scratch.write("t", bytes)
      guard let opened = try? SafetensorsFile(path: scratch.file("t")) else { continue }
      for name in opened.tensors.keys {
        _ = try? opened.floats(named: name)
        _ = try? opened.integers(named: name)
      }
    }
  }
}

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

/// Tensors are moved, never rounded.
@Suite struct StoredTensorTests {
  private let matrix = StoredTensor(floats: [1, 2, 3, 4, 5, 6], shape: [2, 3])

  @Test func transposing() {
    #expect(matrix.transposed == StoredTensor(floats: [1, 4, 2, 5, 3, 6], shape: [3, 2]))
    #expect(matrix.transposed.transposed == matrix)
  }

  @Test func rowsAndColumnsTakeAnotherOrder() {
    #expect(matrix.rows([1, 0]) == StoredTensor(floats: [4, 5, 6, 1, 2, 3], shape: [2, 3]))
    #expect(matrix.columns([2, 0, 1]) == StoredTensor(floats: [3, 1, 2, 6, 4, 5], shape: [2, 3]))
    let vector = StoredTensor(floats: [1, 2, 3], shape: [3])
    #expect(vector.rows([2, 0, 1]) == StoredTensor(floats: [3, 1, 2], shape: [3]))
  }

  /// Bit patterns that no arithmetic would keep: signalling NaNs, subnormals.
  @Test func everyBitStays() {
    let bytes: [UInt8] = [0x01, 0x7C, 0xFF, 0x7F, 0x01, 0x00, 0x00, 0x80, 0x34, 0x12, 0x78, 0x56]
    let halves = StoredTensor(type: .float16, shape: [2, 3], bytes: bytes)
    #expect(halves.transposed.bytes == [0x01, 0x7C, 0x00, 0x80, 0xFF, 0x7F, 0x34, 0x12, 0x01, 0x00, 0x78, 0x56])
    #expect(halves.rows([1, 0]).bytes == Array(bytes[6...] + bytes[..<6]))
    let file = StoredTensor(type: .int8, shape: [2], bytes: [1, 2])
    #expect(file.floats == nil)
  }

  @Test func aStoredTensorIsWrittenAsItIs() throws {
    let scratch = try Scratch()
    let bytes: [UInt8] = [0x01, 0x7C, 0x34, 0x12]
    var writer = SafetensorsWriter()
    writer.add("b", matrix)
    writer.add("a", StoredTensor(type: .bfloat16, shape: [2], bytes: bytes))
    try writer.write(to: scratch.file("x.safetensors"))
    let store = try TensorStore(path: scratch.file("x.safetensors"))
    #expect(store.entries.map(\.name) == ["a", "b"])
    #expect(try store.tensor(named: "a").bytes == bytes && store.tensor(named: "b") == matrix)
    let error = #expect(throws: ModelFileError.self) { try store.tensor(named: "c") }
    #expect(error?.description.contains("'c'") == true)
  }

  @Test func shardsAreOneStore() throws {
    let scratch = try Scratch()
    for (file, name, floats) in [("1", "a", [1, 2] as [Float]), ("2", "b", [3])] {
      var writer = SafetensorsWriter()
      writer.add(name, floats: floats, shape: [floats.count])
      try writer.write(to: scratch.file("model-\(file).safetensors"))
    }
    let index = #"{"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}"#
    try scratch.write("model.safetensors.index.json", Array(index.utf8))
    for path in [scratch.path, scratch.file("model.safetensors.index.json")] {
      let store = try TensorStore(path: path)
      #expect(store.entries.map(\.name) == ["a", "b"])
      #expect(try store.tensor(named: "b") == StoredTensor(floats: [3], shape: [1]))
    }
  }
}

/// Conversions between element types, against the compiler's own where it has them.
@Suite struct HalfPrecisionTests {
  @Test func landmarks() {
    #expect(HalfPrecision.widen(0x0000).bitPattern == 0)
    #expect(HalfPrecision.widen(0x8000).bitPattern == 0x8000_0000)
    #expect(HalfPrecision.widen(0x0001) == 0x1p-24)  // the least subnormal
    #expect(HalfPrecision.widen(0x03FF) == 0x3FFp-24)  // the largest
    #expect(HalfPrecision.widen(0x0400) == 0x1p-14)  // the least normal
    #expect(HalfPrecision.widen(0x3C00) == 1)
    #expect(HalfPrecision.widen(0xC000) == -2)
    #expect(HalfPrecision.widen(0x7BFF) == 65_504)
    #expect(HalfPrecision.widen(0x7C00) == .infinity)
    #expect(HalfPrecision.widen(0xFC00) == -.infinity)
    #expect(HalfPrecision.widen(0x7E01).bitPattern == 0x7FC0_2000)
    #expect(HalfPrecision.widen(0x7C01).isNaN)
  }

  @Test func narrowingUndoesWidening() {
    for bits in UInt16.min...UInt16.max {
      let value = HalfPrecision.widen(bits)
      // A NaN comes back quiet, with its payload; everything else as it was.
      #expect(HalfPrecision.narrow(value) == (value.isNaN ? bits | 0x200 : bits))
    }
  }

  @Test func roundingToEven() {
    #expect(HalfPrecision.narrow(1 + 0x1p-11) == 0x3C00)
    #expect(HalfPrecision.narrow(1 + 0x3p-11) == 0x3C02)
    #expect(HalfPrecision.narrow(0x1p-25) == 0x0000)
    #expect(HalfPrecision.narrow(0x1.000002p-25) == 0x0001)
    #expect(HalfPrecision.narrow(0x3p-25) == 0x0002)
    #expect(HalfPrecision.narrow(65_519.996) == 0x7BFF)
    #expect(HalfPrecision.narrow(65_520) == 0x7C00)
    #expect(HalfPrecision.narrow(-.greatestFiniteMagnitude) == 0xFC00)
    #expect(HalfPrecision.narrow(.leastNonzeroMagnitude) == 0)
  }

  #if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
    @Test func everyPatternAsTheCompilerHasIt() {
      for bits in UInt16.min...UInt16.max {
        let expected = Float(Float16(bitPattern: bits))
        let actual = HalfPrecision.widen(bits)
        #expect(expected.isNaN ? actual.isNaN : actual.bitPattern == expected.bitPattern)
      }
    }

    @Test func randomNumbersAsTheCompilerHasThem() {
      var random = Seeded(5)
      for _ in 0..<100_000 {
        let bits = UInt32.random(in: 0...UInt32.max, using: &random)
        // Half of them in the range where something happens.
        let value = Float(bitPattern: bits & 1 == 0 ? bits : bits & 0x8FFF_FFFF | 0x3000_0000)
        guard !value.isNaN else { continue }
        #expect(HalfPrecision.narrow(value) == Float16(value).bitPattern)
      }
    }
  #endif
}
