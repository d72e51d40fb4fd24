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
    return StoredTensor(type: entry.elementType, shape: entry.shape, bytes: try holder.bytes(of: name))
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

/// The index of a checkpoint in several files: `{"metadata": …, "weight_map": {tensor: file}}`.
struct ShardIndex {
  /// The shard of each tensor, as a file name in the index's directory.
  let shards: [String: String]

  /// The distinct shards, sorted.
  var shardNames: [String] { Set(shards.values).sorted() }

  /// Reads an index.
  /// - Throws: `ModelFileError` if it is not one, or if it names a file outside of its directory.
  init(file: String) throws(ModelFileError) {
    let fields = try JSONFields(file: file)
    guard let map = try fields.object("weight_map") else {
      throw fields.error("weight_map", "is missing")
    }
    var shards: [String: String] = [:]
    for member in map.members {
      guard case .string(let shard) = member.value else {
        throw map.error(member.name, "a file name expected, \(member.value.kind) found")
      }
      guard Self.isPlainName(shard) else {
        throw map.error(member.name, "\(shard.quoted) is not the name of a file beside the index")
      }
      guard shards.updateValue(shard, forKey: member.name) == nil else {
        throw map.error(member.name, "appears twice, in different Unicode forms")
      }
    }
    self.shards = shards
  }

  /// Whether a name stays in its directory: no separator, and nothing that begins with a dot. Every
  /// known writer puts the shards beside the index.
  private static func isPlainName(_ name: String) -> Bool {
    let forbidden: Set<UInt8> = [UInt8(ascii: "/"), UInt8(ascii: "\\"), 0]
    return !name.isEmpty && !name.hasPrefix(".") && !name.utf8.contains { forbidden.contains($0) }
  }
}

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
    let input = try InputFile(path: file)
    if try input.starts(with: [0x50, 0x4B]) {
      let archive = try NumPyArchive(input)
      self.init(path: file, entries: archive.entries, source: .archive(archive))
      return
    }
    guard try !input.starts(with: [0x89, 0x48, 0x44, 0x46]) else {
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

/// Describes a tensor that is not there.
/// - Parameters:
///   - name: The name asked for.
///   - names: The names there are.
///   - file: The path to report.
/// - Returns: An error that shows the closest names, since the usual cause is a prefix that another
///   library adds or leaves out.
func missingTensor(_ name: String, among names: [String], file: String) -> ModelFileError {
  let near = nearestNames(to: name, among: names)
  let list = near.map(\.quoted).joined(separator: ", ")
  let hint = near.isEmpty ? "" : near.count == 1 ? "; the closest name is \(list)" : "; the closest names are \(list)"
  return ModelFileError(
    file: file, subject: "tensor \(name.quoted)",
    problem: "not among the \(names.count) tensors of the file\(hint)")
}

/// At most three names that share their last components with `name` or differ by few letters,
/// nearest first.
func nearestNames(to name: String, among names: [String]) -> [String] {
  let wanted = Array(name.utf8.prefix(200))
  let parts = name.split(separator: ".")
  var ranked: [(cost: Int, name: String)] = []
  for candidate in names.prefix(5_000) {  // a message is not worth more time
    let shared = zip(parts.reversed(), candidate.split(separator: ".").reversed())
      .prefix { $0 == $1 }.count
    let distance = editDistance(wanted, Array(candidate.utf8.prefix(200)))
    // One shared component, such as "weight", says nothing; two or more say more than letters do.
    if shared >= 2 || distance <= max(2, wanted.count / 5) {
      ranked.append((distance - 20 * shared, candidate))
    }
  }
  return ranked.sorted { ($0.cost, $0.name) < ($1.cost, $1.name) }.prefix(3).map(\.name)
}

/// Levenshtein's distance, in bytes.
private func editDistance(_ first: [UInt8], _ second: [UInt8]) -> Int {
  var row = Array(0...second.count)
  for (i, byte) in first.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, other) in second.enumerated() {
      let substituted = diagonal + (byte == other ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(substituted, row[j] + 1, diagonal + 1)
    }
  }
  return row[second.count]
}
