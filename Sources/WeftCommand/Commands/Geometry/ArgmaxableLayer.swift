import Geometry
import ModelFiles
import Engine

/// The layer that a command is about, with what it is called.
struct ArgmaxableLayer {
  let file: String
  let tensor: String
  let biasTensor: String?
  let box: Double?
  let classes: OutputClasses
  private let words: [String]?

  /// Reads a layer, and the names of its classes, from files.
  init(file: String, tensor: String, bias biasTensor: String? = nil, vocab: String? = nil, box: Double? = nil) throws {
    let checkpoint = try SafetensorsFile(path: file)
    let vectors = try Self.vectors(tensor, of: checkpoint)
    let bias = try biasTensor.map { try Self.bias($0, of: checkpoint, count: vectors.shape[0], tensor: tensor) }
    let classes: OutputClasses
    do {
      classes = try Self.classes(vectors, bias, of: checkpoint)
    } catch let error as GeometryError {
      let names = [tensor, biasTensor].compactMap { $0?.quoted }.joined(separator: " with ")
      throw ModelFileError(file: file, subject: "tensor \(names)", problem: error.message)
    }
    let words = try vocab.map { try Self.words($0, count: classes.count, tensor: tensor) }
    (self.file, self.tensor, self.biasTensor, self.box) = (file, tensor, biasTensor, box)
    (self.classes, self.words) = (classes, words)
  }

  /// A class as a person knows it.
  func name(_ index: Int) -> String { words.map { "\($0[index].quoted)" } ?? "\(index)" }
  func word(_ index: Int) -> String? { words?[index] }
  var hasWords: Bool { words != nil }

  /// The layer of tensors whose shapes fit, as float64 if one of them is.
  private static func classes(
    _ vectors: TensorEntry, _ bias: TensorEntry?, of checkpoint: SafetensorsFile
  ) throws -> OutputClasses {
    let dimension = vectors.shape[1]
    if [vectors, bias].contains(where: { $0?.elementType == .float64 }) {
      return try OutputClasses(
        doubles(vectors, of: checkpoint), dimension: dimension, bias: bias.map { try doubles($0, of: checkpoint) })
    }
    return try OutputClasses(
      Vectors(checkpoint.floats(named: vectors.name), dimension: dimension),
      bias: bias.map { try checkpoint.floats(named: $0.name) })
  }

  /// A tensor's elements, none of them rounded.
  private static func doubles(_ entry: TensorEntry, of checkpoint: SafetensorsFile) throws -> [Double] {
    guard entry.elementType == .float64 else { return try checkpoint.floats(named: entry.name).map { Double($0) } }
    return try checkpoint.bytes(of: entry.name).withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count, by: 8).map { place in
        Double(bitPattern: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)))
      }
    }
  }

  private static func vectors(_ name: String, of checkpoint: SafetensorsFile) throws -> TensorEntry {
    let entry = try Self.entry(name, of: checkpoint, where: { $0.shape.count == 2 })
    let shape = entry.shape
    guard shape.count == 2, shape[0] > 0, shape[1] > 0 else {
      throw ModelFileError(
        file: checkpoint.path, subject: "tensor \(name.quoted)",
        problem: "has shape \(shape), where [classes, dimension] is expected")
    }
    return entry
  }

  private static func bias(
    _ name: String, of checkpoint: SafetensorsFile, count: Int, tensor: String
  ) throws -> TensorEntry {
    let entry = try Self.entry(name, of: checkpoint, where: { $0.shape == [count] })
    let shape = entry.shape
    guard shape == [count] else {
      throw ModelFileError(
        file: checkpoint.path, subject: "tensor \(name.quoted)",
        problem: "has shape \(shape), but \(tensor.quoted) has \(count) classes: [\(count)] is expected")
    }
    return entry
  }

  /// A tensor's description.
  private static func entry(
    _ name: String, of checkpoint: SafetensorsFile, where isFitting: (TensorEntry) -> Bool
  ) throws -> TensorEntry {
    guard let entry = checkpoint.tensors[name] else {
      let fitting = checkpoint.tensors.values.filter(isFitting).sorted { $0.name < $1.name }
      let shown = fitting.prefix(12).map { "\($0.name.quoted) \($0.shape)" }.joined(separator: ", ")
      let more = fitting.count > 12 ? " and \(fitting.count - 12) more" : ""
      throw ModelFileError(
        file: checkpoint.path, subject: "tensor \(name.quoted)",
        problem: "not among the \(checkpoint.tensors.count) tensors of the file; "
          + (fitting.isEmpty ? "none of them has a fitting shape" : "those of a fitting shape are \(shown)\(more)"))
    }
    guard [.float16, .bfloat16, .float32, .float64].contains(entry.elementType) else {
      throw ModelFileError(
        file: checkpoint.path, subject: "tensor \(name.quoted)",
        problem: "holds \(entry.elementType.rawValue), where F16, BF16, F32 or F64 is expected")
    }
    return entry
  }

  private static func words(_ path: String, count: Int, tensor: String) throws -> [String] {
    var lines = try fileContent(path).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    guard lines.count == count else {
      throw ModelFileError(
        file: path,
        problem: "has \(lines.count) lines, but \(tensor.quoted) has \(count) classes: it is another model's")
    }
    return lines.map { String(decoding: $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0, as: UTF8.self) }
  }
}
