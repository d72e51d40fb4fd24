/// An open safetensors file: its tensors' descriptions, checked, and their bytes, mapped.
package final class SafetensorsFile: Sendable {
  /// Where the file lies, as the caller gave it.
  package let path: String
  /// Free text about the file.
  package let metadata: [String: String]
  /// The tensors by name.
  package let tensors: [String: TensorEntry]

  private let file: MappedFile
  private let dataStart: Int

  /// Opens and checks a file; the bytes are mapped, not read.
  /// - Parameter path: The path of a regular file.
  /// - Throws: `ModelFileError` naming what cannot be opened or the rule that the file breaks.
  package init(path: String) throws(ModelFileError) {
    self.path = path
    file = try MappedFile(path: path)
    let header = try file.withBytes { (bytes) throws(ModelFileError) in
      try SafetensorsHeader(bytes, file: path)
    }
    metadata = header.metadata
    dataStart = header.dataStart
    var tensors: [String: TensorEntry] = [:]
    for entry in header.entries {
      // Names that differ in bytes only by Unicode normal form are one key to a dictionary.
      guard tensors.updateValue(entry, forKey: entry.name) == nil else {
        throw entry.error(in: path, "two tensors have this name in different Unicode forms")
      }
    }
    self.tensors = tensors
  }

  /// A tensor's description.
  /// - Throws: `ModelFileError` with the names closest to `name` if there is no such tensor.
  package func entry(named name: String) throws(ModelFileError) -> TensorEntry {
    guard let entry = tensors[name] else {
      throw missingTensor(name, among: tensors.keys.sorted(), file: path)
    }
    return entry
  }

  /// Calls `body` with a tensor's bytes, row major and little endian, of no particular alignment,
  /// valid during the call only.
  /// - Throws: `ModelFileError` if there is no such tensor, and whatever `body` throws.
  package func withBytes<Result>(
    of name: String, _ body: (UnsafeRawBufferPointer) throws(ModelFileError) -> Result
  ) throws(ModelFileError) -> Result {
    try withBytes(of: try entry(named: name), body)
  }

  /// A tensor's elements as Float.
  /// - Parameters:
  ///   - name: The tensor's name.
  ///   - shape: The shape that the tensor must have; `nil` accepts any.
  /// - Returns: The elements, row major: F32 as stored, F16 and BF16 widened exactly, F64 rounded to
  ///   nearest.
  /// - Throws: `ModelFileError` if the tensor is missing, of another shape or not of these types.
  package func floats(
    named name: String, shape: [Int]? = nil
  ) throws(ModelFileError) -> [Float] {
    let entry = try entry(named: name)
    try entry.check(shape: shape, file: path)
    let floats = try withBytes(of: entry) { (bytes) throws(ModelFileError) in
      widenedToFloat(bytes, from: entry.elementType)
    }
    guard let floats else {
      throw entry.error(
        in: path, "holds \(entry.elementType.rawValue), where F16, BF16, F32 or F64 is expected")
    }
    return floats
  }

  /// A tensor's elements as Int.
  /// - Parameters:
  ///   - name: The tensor's name.
  ///   - shape: The shape that the tensor must have; `nil` accepts any.
  /// - Returns: The elements, row major.
  /// - Throws: `ModelFileError` if the tensor is missing, of another shape, or not of an integer
  ///   type or BOOL, or if a value exceeds Int.
  package func integers(
    named name: String, shape: [Int]? = nil
  ) throws(ModelFileError) -> [Int] {
    let entry = try entry(named: name)
    try entry.check(shape: shape, file: path)
    let integers = try withBytes(of: entry) { (bytes) throws(ModelFileError) in
      widenedToInt(bytes, from: entry.elementType)
    }
    guard let integers else {
      throw entry.error(
        in: path, "holds \(entry.elementType.rawValue) or a value that is not an Int")
    }
    return integers
  }

  private func withBytes<Result>(
    of entry: TensorEntry, _ body: (UnsafeRawBufferPointer) throws(ModelFileError) -> Result
  ) throws(ModelFileError) -> Result {
    try file.withBytes { (bytes) throws(ModelFileError) in
      let start = dataStart + entry.byteRange.lowerBound
      return try body(
        UnsafeRawBufferPointer(rebasing: bytes[start..<start + entry.byteRange.count]))
    }
  }
}

extension TensorEntry {
  /// Refuses a tensor whose shape is not the expected one.
  fileprivate func check(shape expected: [Int]?, file: String) throws(ModelFileError) {
    guard let expected, expected != shape else { return }
    throw error(in: file, "shape \(expected) expected, \(shape) found")
  }
}
