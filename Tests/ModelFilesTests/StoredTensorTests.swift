import Testing

@testable import ModelFiles

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
