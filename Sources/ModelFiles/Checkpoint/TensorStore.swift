/// The tensors of a foreign checkpoint as they are stored: safetensors, whole or sharded, or an `.npz` archive.
package struct TensorStore: Sendable {
  /// The file that holds the tensors, or their index.
  package let path: String
  /// What is known of each tensor without reading it, in the order of the names.
  package let entries: [TensorEntry]

  private enum Source: Sendable {
    case checkpoint(Checkpoint)
    case archive(NumPyArchive)
  }

  private let source: Source

  /// Opens a file, or the one file with weights in a directory.
  /// - Throws: `ModelFileError` if there is none, several, or one in a format that is not read.
  package init(path: String) throws(ModelFileError) {
    try self.init(file: isDirectory(path) ? Self.weights(in: path) : path)
  }

  private init(file: String) throws(ModelFileError) {
    if file.hasSuffix(".safetensors.index.json") {
      let (directory, name) = (directory(of: file), file.split(separator: "/").last ?? "")
      let checkpoint = try Checkpoint(
        directory: directory, baseName: String(name.dropLast(".safetensors.index.json".count)))
      self.init(checkpoint)
      return
    }
    let mapped = try MappedFile(path: file)
    let isArchive = mapped.withBytes { $0.starts(with: [0x50, 0x4B]) }
    if isArchive {
      let archive = try NumPyArchive(mapped)
      self.init(path: file, entries: archive.entries, source: .archive(archive))
      return
    }
    guard !mapped.withBytes({ $0.starts(with: [0x89, 0x48, 0x44, 0x46]) }) else {
      throw ModelFileError(
        file: file,
        problem: "an HDF5 file; export it from Python: np.savez('weights.npz', **{w.name: w.numpy() for w in "
          + "model.weights})")
    }
    self.init(try Checkpoint(file: file))
  }

  private init(_ checkpoint: Checkpoint) {
    self.init(
      path: checkpoint.path, entries: checkpoint.names.compactMap { checkpoint.entry(named: $0) },
      source: .checkpoint(checkpoint))
  }

  private init(path: String, entries: [TensorEntry], source: Source) {
    self.path = path
    self.entries = entries
    self.source = source
  }

  /// A tensor's bytes.
  /// - Parameter name: one of the names in `entries`.
  /// - Returns: the tensor as it is stored.
  /// - Throws: `ModelFileError` if there is no such tensor or its bytes are damaged.
  package func tensor(named name: String) throws(ModelFileError) -> StoredTensor {
    let tensor =
      switch source {
      case .checkpoint(let checkpoint): try checkpoint.tensor(named: name)
      case .archive(let archive): try archive.tensor(named: name)
      }
    guard let tensor else { throw missing(name) }
    return tensor
  }

  /// Says that a tensor is not there, with the names closest to it.
  package func missing(_ name: String) -> ModelFileError {
    missingTensor(name, among: entries.map(\.name), file: path)
  }

  /// The file with weights in a directory.
  private static func weights(in directory: String) throws(ModelFileError) -> String {
    for name in ["model.safetensors", "model.safetensors.index.json"] where fileExists(ModelFiles.path(directory, name))
    {
      return ModelFiles.path(directory, name)
    }
    let names = try fileNames(in: directory)
    let readable = names.filter { $0.hasSuffix(".safetensors") || $0.hasSuffix(".npz") }
    if readable.count > 1 {
      throw ModelFileError(
        file: directory, problem: "holds several files with weights: \(readable.joined(separator: ", ")); name one")
    }
    guard let only = readable.first else {
      let others = names.filter { name in
        [".bin", ".pt", ".pth", ".pdparams", ".h5", ".weights", ".ckpt"].contains { name.hasSuffix($0) }
      }
      let advice = others.first.map { "; \($0) must be exported to one of these first" } ?? ""
      throw ModelFileError(file: directory, problem: "holds no weights as .safetensors or .npz\(advice)")
    }
    return ModelFiles.path(directory, only)
  }
}
