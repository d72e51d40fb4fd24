internal import ModelFiles

/// Vectors in a file, a row each: a `.npy` array or a tensor of a safetensors file. The file is mapped and read as it is
/// needed; it may be larger than memory.
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
  /// - Throws: `ModelFileError` if it cannot be read, or does not hold a matrix of real numbers; `NeighbourError` if a
  ///   safetensors file comes without a tensor's name.
  public init(named name: String) throws {
    guard let mark = name.firstIndex(of: "#"), !fileExists(name) else {
      try require(
        !name.hasSuffix(".safetensors"), "\(name): which of its tensors? Name one: \(name)#embeddings.weight")
      try self.init(path: name)
      return
    }
    try self.init(path: String(name[..<mark]), tensor: String(name[name.index(after: mark)...]))
  }

  /// How many vectors.
  public var count: Int { file.rows }
  /// Elements of a vector.
  public var dimension: Int { file.columns }

  /// Some vectors, row after row; wider types than float32 rounded to nearest.
  public func floats(_ range: Range<Int>) -> [Float] { file.floats(range) }

  /// Calls `body` with all elements if the file holds them as float32, in order.
  public func withFloatsIfAvailable<Result>(
    _ body: (UnsafeBufferPointer<Float>) throws -> Result
  ) rethrows -> Result? {
    try file.withFloatsIfAvailable(body)
  }
}
