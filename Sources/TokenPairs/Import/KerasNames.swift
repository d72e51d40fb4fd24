internal import ModelFiles

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

  /// The heads of a model, told by the names of their classes, in the order in which they were made.
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
