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
    let bias = try biasTensor.map { try Self.bias($0, of: checkpoint, count: vectors.count, tensor: tensor) }
    let classes: OutputClasses
    do throws(GeometryError) { classes = try OutputClasses(vectors, bias: bias) } catch {
      let names = [tensor, biasTensor].compactMap { $0?.quoted }.joined(separator: " with ")
      throw ModelFileError(file: file, subject: "tensor \(names)", problem: error.message)
    }
    let words = try vocab.map { try Self.words($0, count: vectors.count, tensor: tensor) }
    (self.file, self.tensor, self.biasTensor, self.box) = (file, tensor, biasTensor, box)
    (self.classes, self.words) = (classes, words)
  }

  /// A class as a person knows it.
  func name(_ index: Int) -> String { words.map { "\($0[index].quoted)" } ?? "\(index)" }
  func word(_ index: Int) -> String? { words?[index] }
  var hasWords: Bool { words != nil }

  private static func vectors(_ name: String, of checkpoint: SafetensorsFile) throws -> Vectors {
    let shape = try entry(name, of: checkpoint, where: { $0.shape.count == 2 }).shape
    guard shape.count == 2, shape[0] > 0, shape[1] > 0 else {
      throw ModelFileError(
        file: checkpoint.path, subject: "tensor \(name.quoted)",
        problem: "has shape \(shape), where [classes, dimension] is expected")
    }
    return try Vectors(checkpoint.floats(named: name), dimension: shape[1])
  }

  private static func bias(
    _ name: String, of checkpoint: SafetensorsFile, count: Int, tensor: String
  ) throws -> [Float] {
    let shape = try entry(name, of: checkpoint, where: { $0.shape == [count] }).shape
    guard shape == [count] else {
      throw ModelFileError(
        file: checkpoint.path, subject: "tensor \(name.quoted)",
        problem: "has shape \(shape), but \(tensor.quoted) has \(count) classes: [\(count)] is expected")
    }
    return try checkpoint.floats(named: name)
  }

  /// A tensor's description; float64 is refused, since a proof about rounded numbers proves nothing of others.
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
    guard [.float16, .bfloat16, .float32].contains(entry.elementType) else {
      let advice = entry.elementType == .float64 ? ": save it as float32 first, and the proofs are about that" : ""
      throw ModelFileError(
        file: checkpoint.path, subject: "tensor \(name.quoted)",
        problem: "holds \(entry.elementType.rawValue), where F32, F16 or BF16 is expected\(advice)")
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
