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
