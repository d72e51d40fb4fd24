/// The tensors of a model directory, in one safetensors file or spread over several.
///
/// `<base>.safetensors` is opened if it is there, else `<base>.safetensors.index.json`, whose
/// `weight_map` says which shard holds which tensor.
package struct Checkpoint: Sendable {
  /// The file opened: the one holding the tensors, or the index.
  package let path: String
  /// The names of the tensors, sorted.
  package let names: [String]

  private let holders: [String: SafetensorsFile]

  /// Opens the checkpoint of a directory.
  /// - Parameters:
  ///   - directory: The model's directory.
  ///   - baseName: The file name before `.safetensors`; diffusers uses
  ///     `diffusion_pytorch_model`.
  /// - Throws: `ModelFileError` if there is no such file or one of its files is not valid.
  package init(
    directory: String, baseName: String = "model"
  ) throws(ModelFileError) {
    let single = ModelFiles.path(directory, "\(baseName).safetensors")
    let index = single + ".index.json"
    if fileExists(single) {
      try self.init(file: single)
    } else if fileExists(index) {
      try self.init(index: index, directory: directory)
    } else {
      throw ModelFileError(
        file: directory,
        problem: "has neither \(baseName).safetensors nor \(baseName).safetensors.index.json"
          + Self.adviceForOtherFormats(directory))
    }
  }

  /// Opens one safetensors file as a checkpoint.
  /// - Throws: `ModelFileError` if the file is not valid.
  package init(file path: String) throws(ModelFileError) {
    let file = try SafetensorsFile(path: path)
    self.init(path: path, holders: file.tensors.mapValues { _ in file })
  }

  private init(index: String, directory: String) throws(ModelFileError) {
    let map = try ShardIndex(file: index)
    var shards: [String: SafetensorsFile] = [:]
    for name in map.shardNames {
      shards[name] = try SafetensorsFile(path: ModelFiles.path(directory, name))
    }
    var holders: [String: SafetensorsFile] = [:]
    for (tensor, shardName) in map.shards {
      guard let shard = shards[shardName], shard.tensors[tensor] != nil else {
        throw ModelFileError(
          file: index, subject: "tensor \(tensor.quoted)",
          problem: "said to be in \(shardName.quoted), which does not hold it")
      }
      holders[tensor] = shard
    }
    self.init(path: index, holders: holders)
  }

  private init(path: String, holders: [String: SafetensorsFile]) {
    self.path = path
    self.holders = holders
    names = holders.keys.sorted()
  }

  /// Whether there is a tensor of this name.
  package func contains(_ name: String) -> Bool { holders[name] != nil }

  /// The description of a tensor; `nil` if there is none of this name.
  package func entry(named name: String) -> TensorEntry? { holders[name]?.tensors[name] }

  /// A tensor's elements as Float.
  /// - Parameters:
  ///   - name: The tensor's name.
  ///   - shape: The shape that the tensor must have.
  /// - Returns: The elements, row major: F32 as stored, F16 and BF16 widened exactly, F64 rounded to
  ///   nearest.
  /// - Throws: `ModelFileError` if the tensor is missing (with the closest names), of another shape,
  ///   not of these types, or holds an infinity or NaN: a model with such a weight finds nothing in
  ///   any text, which must not look like a result.
  package func floats(named name: String, shape: [Int]) throws(ModelFileError) -> [Float] {
    guard let holder = holders[name] else {
      throw missing(name)
    }
    let floats = try holder.floats(named: name, shape: shape)
    // Integers, so that the loop becomes a vectorised maximum.
    let exponents: UInt32 = 0x7F80_0000
    let largest = floats.reduce(UInt32(0)) { max($0, $1.bitPattern & exponents) }
    if largest == exponents, let place = floats.firstIndex(where: { !$0.isFinite }) {
      throw ModelFileError(
        file: holder.path, subject: "tensor \(name.quoted)",
        problem: "element \(place) is \(floats[place]), where a finite number is expected")
    }
    return floats
  }

  /// Says that a tensor is not there, with the names closest to it.
  package func missing(_ name: String) -> ModelFileError { missingTensor(name, among: names, file: path) }

  /// The files that hold the tensors, sorted.
  package var files: [String] { Set(holders.values.map(\.path)).sorted() }

  /// A tensor's bytes as they are stored; nil if there is none of this name.
  package func tensor(named name: String) throws(ModelFileError) -> StoredTensor? {
    guard let holder = holders[name] else { return nil }
    let entry = try holder.entry(named: name)
    let bytes = try holder.withBytes(of: name) { (bytes) throws(ModelFileError) in Array(bytes) }
    return StoredTensor(type: entry.elementType, shape: entry.shape, bytes: bytes)
  }

  /// What to say about a directory whose weights are in a format that Weft does not read.
  private static func adviceForOtherFormats(_ directory: String) -> String {
    for base in ["model", "diffusion_pytorch_model"]
    where fileExists(ModelFiles.path(directory, base + ".fp16.safetensors")) {
      return "; rename \(base).fp16.safetensors to \(base).safetensors: float16 weights are read"
    }
    let others = ["pytorch_model.bin", "diffusion_pytorch_model.bin", "tf_model.h5"]
    guard let other = others.first(where: { fileExists(ModelFiles.path(directory, $0)) }) else {
      return ""
    }
    return "; convert \(other) with save_pretrained(…, safe_serialization=True)"
  }
}
