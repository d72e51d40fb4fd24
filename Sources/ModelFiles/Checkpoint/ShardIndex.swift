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
