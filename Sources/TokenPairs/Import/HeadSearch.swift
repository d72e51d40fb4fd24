internal import ModelFiles

/// A head's kind, and its layers: what they are called in the model that is written, and in the checkpoint.
struct FoundHead {
  let kind: HeadKind
  let names: [String]
  let sources: [String]
}

/// Looks for heads under the names that a training code gives them.
struct HeadSearch {
  let tensors: ForeignTensors
  let route: ImportRoute
  let style: TensorStyle
  /// Names that the user gave for layers; they go before what is found.
  let given: [String: String]

  /// The first head below some modules.
  /// - Parameters:
  ///   - modules: where it may be, likely ones first.
  ///   - names: what the layers of each kind will be called.
  ///   - kind: the kind, if it is known.
  /// - Returns: nil if there is none.
  func head(below modules: [String], names: (HeadKind) -> [String], kind: HeadKind?) -> FoundHead? {
    // An efficient head first: in Keras it begins like a plain one.
    for kind in [HeadKind.efficient, .globalPointer].filter({ $0 == kind ?? $0 }) {
      let names = names(kind)
      for module in modules.isEmpty ? [""] : modules where style != .keras || KerasNames.allows(kind, module) {
        for parts in route.layers(of: kind, style) + [names] {
          let sources = zip(names, parts).map { name, part in given[name].map(tensors.layer) ?? style.join(module, part)
          }
          guard sources.allSatisfy({ tensors.first(style.names(of: .weight, in: $0, .dense)) != nil }) else { continue }
          return FoundHead(kind: kind, names: names, sources: sources)
        }
      }
    }
    return nil
  }

  /// The length of a layer's bias vector, which has no second dimension to mistake it for, and the vector's name.
  func outputs(of layer: String) throws(ModelFileError) -> (count: Int, tensor: String) {
    let names = style.names(of: .bias, in: layer, .dense)
    guard let name = tensors.first(names), let entry = tensors.entries[name] else {
      throw tensors.store.missing(names[0])
    }
    guard entry.shape.count == 1, entry.shape[0] > 0 else {
      throw tensors.error(name, "shape \(entry.shape) found, where a vector is expected")
    }
    return (entry.shape[0], name)
  }
}
