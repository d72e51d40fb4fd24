internal import Files
internal import Foundation

/// Collects tensors and writes them as one safetensors file.
package struct SafetensorsWriter: Sendable {
  /// The real types that can be written.
  package enum RealType: Sendable {
    case float32
    /// Rounded to nearest, ties to even.
    case float16
  }

  private struct Tensor {
    let name: String
    let type: StoredType
    let shape: [Int]
    let bytes: [UInt8]
  }

  /// Free text to store with the tensors.
  package var metadata: [String: String]
  private var tensors: [Tensor] = []

  /// Starts an empty file.
  package init(metadata: [String: String] = [:]) { self.metadata = metadata }

  /// Adds a tensor of real numbers.
  /// - Parameters:
  ///   - name: Its name, not used before.
  ///   - floats: Its elements, row major; as many as `shape` says.
  ///   - shape: Its extents, outermost first.
  ///   - type: The type to store.
  package mutating func add(
    _ name: String, floats: [Float], shape: [Int], as type: RealType = .float32
  ) {
    switch type {
    case .float32: add(name, .float32, shape, floats.map { $0.bitPattern })
    case .float16: add(name, .float16, shape, floats.map { HalfPrecision.narrow($0) })
    }
  }

  /// Adds a tensor of 32-bit integers.
  /// - Parameters:
  ///   - name: Its name, not used before.
  ///   - integers: Its elements, row major; as many as `shape` says.
  ///   - shape: Its extents, outermost first.
  package mutating func add(_ name: String, integers: [Int32], shape: [Int]) {
    add(name, .int32, shape, integers)
  }

  /// Adds a tensor as it was stored elsewhere.
  /// - Parameters:
  ///   - name: Its name, not used before.
  ///   - tensor: Its type, shape and bytes.
  package mutating func add(_ name: String, _ tensor: StoredTensor) {
    precondition(name != "__metadata__" && !tensors.contains { $0.name == name })
    tensors.append(Tensor(name: name, type: tensor.type, shape: tensor.shape, bytes: tensor.bytes))
  }

  private mutating func add<Stored: FixedWidthInteger & BitwiseCopyable>(
    _ name: String, _ type: StoredType, _ shape: [Int], _ elements: [Stored]
  ) {
    precondition(shape.allSatisfy { $0 >= 0 } && shape.reduce(1, *) == elements.count)
    precondition(name != "__metadata__" && !tensors.contains { $0.name == name })
    tensors.append(Tensor(name: name, type: type, shape: shape, bytes: littleEndianBytes(elements)))
  }

  /// Writes the file: complete under its name and on the disk, or not at all.
  /// - Parameter path: Where to write; an existing file is replaced.
  /// - Throws: `ModelFileError` if the system refuses.
  package func write(to path: String) throws(ModelFileError) {
    // Wider types first, so that every tensor is aligned to its element's size.
    let tensors = tensors.sorted { ($1.type.size, $0.name) < ($0.type.size, $1.name) }
    do throws(WriteError) {
      let file = try ReplacingFile(path)
      try file.write(header(of: tensors))
      // Tensor by tensor: the whole file need not be in memory a second time.
      for tensor in tensors { try file.write(tensor.bytes) }
      try file.commit()
    } catch { throw ModelFileError(error) }
  }

  /// The length and the JSON text, padded with spaces so that the data begins at a multiple of 8.
  private func header(of tensors: [Tensor]) -> [UInt8] {
    var fields: [String] = []
    if !metadata.isEmpty {
      let texts = metadata.sorted { $0.key < $1.key }
        .map { "\(jsonString($0.key)):\(jsonString($0.value))" }
      fields.append("\"__metadata__\":{\(texts.joined(separator: ","))}")
    }
    var offset = 0
    for tensor in tensors {
      let end = offset + tensor.bytes.count
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      fields.append(
        "\(jsonString(tensor.name)):{\"dtype\":\"\(tensor.type.rawValue)\","
          + "\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}")
      offset = end
    }
    var text = Array("{\(fields.joined(separator: ","))}".utf8)
    while text.count % 8 != 0 { text.append(UInt8(ascii: " ")) }
    let length = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) }
    return length + text
  }
}

/// A JSON string literal.
private func jsonString(_ text: String) -> String {
  var literal = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": literal += "\\\""
    case "\\": literal += "\\\\"
    case "\u{0}"..<"\u{20}": literal += String(format: "\\u%04x", Int(scalar.value))
    default: literal.unicodeScalars.append(scalar)
    }
  }
  return literal + "\""
}
