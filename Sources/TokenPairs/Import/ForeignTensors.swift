internal import ModelFiles

/// The tensors of a checkpoint under the names that its training code gave them.
struct ForeignTensors {
  let store: TensorStore
  /// By the code's name; an entry's own name is the one it is stored under.
  let entries: [String: TensorEntry]
  /// The layers that are stored under another name than the code's, by that name.
  private let layers: [String: String]

  /// - Throws: `ModelFileError` if two tensors come down to one name.
  init(_ store: TensorStore, style: TensorStyle) throws(ModelFileError) {
    self.store = store
    var names = store.entries.map(\.name)
    if style == .keras {
      names = KerasNames.ranked(names)
    } else if !names.isEmpty, names.allSatisfy({ $0.hasPrefix("module.") }) {
      // What PyTorch's parallel training puts before every name.
      names = names.map { String($0.dropFirst("module.".count)) }
    }
    var entries: [String: TensorEntry] = [:]
    var layers: [String: String] = [:]
    for (name, entry) in zip(names, store.entries) {
      layers[style.layer(of: entry.name)] = style.layer(of: name)
      if let earlier = entries.updateValue(entry, forKey: name) {
        throw ModelFileError(
          file: store.path, subject: "tensor \(entry.name.quoted)",
          problem: "stands for the same as \(earlier.name.quoted)")
      }
    }
    self.entries = entries
    self.layers = layers
  }

  /// The code's name of a layer that a user names as it is stored.
  func layer(_ stored: String) -> String { layers[stored] ?? stored }

  /// The first of some names that there is.
  func first(_ names: [String]) -> String? { names.first { entries[$0] != nil } }

  /// What the tensors of the encoder begin with: what comes before the name of the embeddings' normalisation, which
  /// every training code calls something else.
  /// - Parameters:
  ///   - naming: how the encoder's layers are named.
  ///   - usual: the prefixes that the training code is known for; one of them wins where there are several encoders.
  /// - Returns: nil if there is no encoder of that naming.
  /// - Throws: `ModelFileError` if there are several, none of them where the training code has it.
  func encoderPrefix(_ naming: EncoderNaming, usual: [String]) throws(ModelFileError) -> String? {
    let endings = naming.landmarks
    var prefixes: Set<String> = []
    for name in entries.keys {
      for ending in endings where name == ending || name.hasSuffix(naming.style.separator + ending) {
        prefixes.insert(String(name.dropLast(ending.count)))
      }
    }
    if let known = usual.first(where: { prefixes.contains($0) }) { return known }
    guard prefixes.count < 2 else {
      throw ModelFileError(
        file: store.path,
        problem: "holds several encoders: \(prefixes.sorted().map(\.quoted).joined(separator: ", ")); "
          + "one is expected, below \((usual.first ?? "").quoted)")
    }
    return prefixes.first
  }

  /// An error about a tensor, under the name that it is stored under.
  func error(_ name: String, _ problem: String) -> ModelFileError {
    ModelFileError(
      file: store.path, subject: "tensor \((entries[name]?.name ?? name).quoted)", problem: problem)
  }

  /// Tensors that no result depends on: buffers, the pooler, heads of the pretraining.
  static func isIgnorable(_ name: String) -> Bool {
    let endings = [
      "position_embedding.cos_position", "position_embedding.sin_position", "position_ids", "token_type_ids",
      "inv_freq", "rotary.sin", "rotary.cos",
    ]
    if endings.contains(where: { name.hasSuffix($0) }) { return true }
    let parts = name.split { $0 == "." || $0 == "/" }
    if parts.contains("pooler") { return true }
    guard let first = parts.first else { return false }
    return first == "cls" || ["Pooler-", "NSP-", "MLM-"].contains { first.hasPrefix($0) }
  }
}

/// Keras numbers layers without a name through the whole program: the third attention's first projection may be
/// `Transformer-2-MultiHeadSelfAttention/dense_12/kernel`. What counts is the order inside the layer around it.
enum KerasNames {
  /// The names with each number replaced by its rank: `Transformer-2-MultiHeadSelfAttention/0/kernel`.
  /// - Parameter names: as Keras gives them.
  /// - Returns: the new name of each, in the order given; names of other forms stay as they are.
  static func ranked(_ names: [String]) -> [String] {
    let parsed = names.map { DenseTensor($0) }
    var numbers: [String: Set<Int>] = [:]
    for dense in parsed { if let dense { numbers[dense.module, default: []].insert(dense.number) } }
    let ranks = numbers.mapValues { numbers in
      Dictionary(uniqueKeysWithValues: numbers.sorted().enumerated().map { ($0.element, $0.offset) })
    }
    return zip(names, parsed).map { name, dense in
      guard let dense, let rank = ranks[dense.module]?[dense.number] else { return plain(name) }
      return "\(dense.module)/\(rank)/\(dense.tensor)"
    }
  }

  /// The heads of a model, recognised by the names of their classes, in the order in which they were made.
  /// - Parameter names: ranked names.
  /// - Returns: the modules' names.
  static func pointerModules(among names: some Sequence<String>) -> [String] {
    var found: [String: Int] = [:]
    for name in names {
      let parts = name.split(separator: "/")
      guard parts.count == 3, parts[1] == "0", parts[2] == "kernel" else { continue }
      for base in ["efficient_global_pointer", "global_pointer"] {
        if let number = number(parts[0], after: base) { found[String(parts[0])] = number }
      }
    }
    return found.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map(\.key)
  }

  /// Whether a module's name leaves open which kind of head it is, or says this one.
  static func allows(_ kind: HeadKind, _ module: String) -> Bool {
    if number(module[...], after: "efficient_global_pointer") != nil { return kind == .efficient }
    if number(module[...], after: "global_pointer") != nil { return kind == .globalPointer }
    return true
  }

  /// What a ranked name stands for, in words.
  static func description(_ name: String) -> String {
    let parts = name.split(separator: "/")
    guard parts.count == 3, let rank = Int(parts[1]) else { return "tensor \(name.quoted)" }
    return "the \(parts[2]) of dense layer \(rank + 1) in \(String(parts[0]).quoted)"
  }

  /// `dense_12` is number 12, `dense` number 0.
  private static func number(_ text: Substring, after base: String) -> Int? {
    guard text.hasPrefix(base) else { return nil }
    let rest = text.dropFirst(base.count)
    if rest.isEmpty { return 0 }
    guard rest.first == "_" else { return nil }
    return Int(rest.dropFirst())
  }

  /// Without TensorFlow's output number, and without the layer's name that HDF5 files put before it once more.
  private static func plain(_ name: String) -> String {
    let name = name.hasSuffix(":0") ? String(name.dropLast(2)) : name
    let parts = name.split(separator: "/")
    return parts.count > 2 && parts[0] == parts[1] ? parts.dropFirst().joined(separator: "/") : name
  }

  /// A tensor of a dense layer without a name of its own, inside a layer with one.
  private struct DenseTensor {
    let module: String
    let number: Int
    let tensor: String

    init?(_ name: String) {
      let parts = KerasNames.plain(name).split(separator: "/")
      guard parts.count == 3, let number = KerasNames.number(parts[1], after: "dense") else { return nil }
      (module, self.number, tensor) = (String(parts[0]), number, String(parts[2]))
    }
  }
}
