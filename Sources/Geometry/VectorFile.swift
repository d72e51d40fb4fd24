internal import ModelFiles

/// Vectors in a file, a row each: a `.npy` array or a tensor of a safetensors file. They are read as they are needed, and
/// the file may be larger than memory. Who writes to it meanwhile makes the next read fail.
public struct VectorFile: VectorSource {
  private let file: MatrixFile

  /// Opens a file.
  ///
  /// - Parameters:
  ///   - path: a `.npy` file, or a safetensors file if `tensor` is given.
  ///   - tensor: the tensor's name.
  /// - Throws: `ModelFileError` if it cannot be read, or does not hold a matrix of real numbers.
  public init(path: String, tensor: String? = nil) throws {
    file = if let tensor { try MatrixFile(path: path, tensor: tensor) } else { try MatrixFile(path: path) }
  }

  /// Opens what a command line names: `vectors.npy`, or `model.safetensors#tensor.name`.
  ///
  /// - Throws: `ModelFileError` if it cannot be read, or does not hold a matrix of real numbers; `GeometryError` if a
  ///   safetensors file comes without a tensor's name.
  public init(named name: String) throws {
    let (path, tensor) = Self.parts(of: name)
    if tensor == nil, name.hasSuffix(".safetensors") { throw try Self.nameless(name) }
    try self.init(path: path, tensor: tensor)
  }

  /// The file and the tensor that a command line names. A file whose name has a `#` is itself.
  package static func parts(of name: String) -> (path: String, tensor: String?) {
    guard let mark = name.firstIndex(of: "#"), !fileExists(name) else { return (name, nil) }
    return (String(name[..<mark]), String(name[name.index(after: mark)...]))
  }

  /// The error for a missing tensor name; it proposes the largest matrices.
  private static func nameless(_ path: String) throws -> GeometryError {
    let matrices = try SafetensorsFile(path: path).tensors.values.filter { $0.shape.count == 2 }
    let largest = matrices.sorted { ($1.count, $0.name) < ($0.count, $1.name) }.prefix(3).map(\.name.quoted)
    guard !largest.isEmpty else { return GeometryError("\(path): none of its tensors is a matrix") }
    return GeometryError(
      "\(path): which of its tensors? Name one as in \(path)#NAME: \(largest.joined(separator: ", "))")
  }

  /// How many vectors.
  public var count: Int { file.rows }
  /// Elements of a vector.
  public var dimension: Int { file.columns }

  /// Some vectors, row after row; wider types than float32 rounded to nearest.
  /// - Throws: `ModelFileError` if they cannot be read, or the file was changed since it was opened.
  public func floats(_ range: Range<Int>) throws -> [Float] { try file.floats(range) }

  /// How elements that float32 cannot hold are converted, in words; nil if it holds all values of the file's type.
  package var rounding: String? { file.rounding }

  /// An element as stored in the file, in Double.
  func element(_ vector: Int, _ channel: Int) throws -> Double { try file.element(vector, channel) }
}
