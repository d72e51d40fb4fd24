internal import ModelFiles

/// One head of a foreign checkpoint, found and measured.
struct FoundHead {
  let shape: HeadShape
  /// Its layers in the model that is written, the layers they come from, and how their numbers are ordered.
  let layers: [(layer: ModelLayer, source: String, order: LayerOrder)]
}

/// Looks for heads under the names that a training code gives them, and tells their sizes from their tensors.
struct HeadSearch {
  let tensors: ForeignTensors
  let route: ImportRoute
  let style: TensorStyle
  let request: ImportRequest
  let hiddenSize: Int

  /// Where a head's layers are: what they are called in the model that is written, and in the checkpoint.
  private struct Location {
    let kind: HeadKind
    let names: [String]
    let sources: [String]
  }

  /// All heads of the model.
  /// - Throws: `ModelFileError` if one is missing, or was made for another number of types or another size than the
  ///   request says.
  func heads() throws(ModelFileError) -> [FoundHead] {
    let modules = route.modules(for: request.task, in: tensors, style)
    var heads: [FoundHead] = []
    for role in HeadRole.all(of: request.task) {
      let head = try head(role, in: modules[role] ?? [], kind: heads.first?.shape.kind ?? request.kind)
      if let size = heads.first?.shape.headSize, head.shape.headSize != size {
        throw ModelFileError(
          file: tensors.store.path,
          problem:
            "\(role.module(request.task)) has heads of \(head.shape.headSize), "
            + "\(HeadRole.spans.module(request.task)) of \(size): all of one size are expected")
      }
      heads.append(head)
    }
    return heads
  }

  private func head(_ role: HeadRole, in modules: [String], kind: HeadKind?) throws(ModelFileError) -> FoundHead {
    guard let found = location(of: role, below: modules, kind: kind) else { throw missing(role, modules, kind) }
    let projection = try outputs(of: found.sources[0])
    let size = try headSize(of: found, role, projection)
    if let given = request.headSize, given != size {
      throw tensors.error(projection.tensor, "made for heads of \(size), where \(given) is given")
    }
    let shape = request.dialect.shape(
      found.kind, types: request.types(of: role).count, headSize: size, rope: request.rope, triangular: true)
    var layers = [
      (
        ModelLayer(name: found.names[0], form: .dense, outputs: projection.count, inputs: hiddenSize),
        found.sources[0], request.dialect.projectionOrder(of: shape)
      )
    ]
    if found.kind == .efficient {
      layers.append(
        (
          ModelLayer(
            name: found.names[1], form: .dense, outputs: 2 * shape.types,
            inputs: shape.biasInputs(hiddenSize: hiddenSize)),
          found.sources[1], request.dialect.biasOrder(of: shape)
        ))
    }
    return FoundHead(shape: shape, layers: layers)
  }

  /// The first head below some modules.
  /// - Parameters:
  ///   - role: which head; it says what the layers will be called.
  ///   - modules: where it may be, likely ones first.
  ///   - kind: the kind, if it is known.
  /// - Returns: nil if there is none.
  private func location(of role: HeadRole, below modules: [String], kind: HeadKind?) -> Location? {
    // An efficient head first: in Keras it begins like a plain one.
    for kind in [HeadKind.efficient, .globalPointer].filter({ $0 == kind ?? $0 }) {
      let names = role.layers(of: kind, request.task)
      for module in modules.isEmpty ? [""] : modules where style != .keras || KerasNames.allows(kind, module) {
        for parts in route.layers(of: kind, style) + [names] {
          let sources = zip(names, parts).map { name, part in
            request.layerNames[name].map(tensors.layer) ?? style.join(module, part)
          }
          guard sources.allSatisfy({ tensors.first(style.names(of: .weight, in: $0, .dense)) != nil }) else { continue }
          return Location(kind: kind, names: names, sources: sources)
        }
      }
    }
    return nil
  }

  /// Channels of a query, from the lengths of the layers' bias vectors.
  private func headSize(
    of found: Location, _ role: HeadRole, _ projection: (count: Int, tensor: String)
  ) throws(ModelFileError) -> Int {
    let types = request.types(of: role)
    let given = "\(types.count) \(types.noun) \(types.count == 1 ? "is" : "are") given"
    switch found.kind {
    case .efficient:
      let biases = try outputs(of: found.sources[1])
      guard biases.count == 2 * types.count else {
        let made =
          biases.count.isMultiple(of: 2) ? "made for \(biases.count / 2) \(types.noun)" : "\(biases.count) outputs"
        throw tensors.error(biases.tensor, "\(made), \(given)")
      }
      guard projection.count.isMultiple(of: 2) else {
        throw tensors.error(projection.tensor, "\(projection.count) outputs are not a query and a key")
      }
      return projection.count / 2
    case .globalPointer:
      let block = 2 * max(1, request.headSize ?? 1)
      guard projection.count.isMultiple(of: block * types.count) else {
        throw tensors.error(
          projection.tensor,
          "\(projection.count) outputs are no multiple of \(block * types.count): it was made for another number of "
            + "\(types.noun); \(given)")
      }
      return projection.count / types.count / 2
    }
  }

  /// The length of a layer's bias vector, which has no second dimension to mistake it for, and the vector's name.
  private func outputs(of layer: String) throws(ModelFileError) -> (count: Int, tensor: String) {
    let names = style.names(of: .bias, in: layer, .dense)
    guard let name = tensors.first(names), let entry = tensors.entries[name] else {
      throw tensors.store.missing(names[0])
    }
    guard entry.shape.count == 1, entry.shape[0] > 0 else {
      throw tensors.error(name, "shape \(entry.shape) found, where a vector is expected")
    }
    return (entry.shape[0], name)
  }

  private func missing(_ role: HeadRole, _ modules: [String], _ kind: HeadKind?) -> ModelFileError {
    var tried: [String] = []
    for kind in HeadKind.allCases.filter({ $0 == kind ?? $0 }) {
      for module in modules {
        for parts in route.layers(of: kind, style) { tried.append(style.join(module, parts[0])) }
      }
    }
    var looked = tried.isEmpty ? "" : ": no layer " + tried.map(\.quoted).joined(separator: " or ")
    if style == .keras {
      let heads = KerasNames.pointerModules(among: tensors.entries.keys)
      let list = heads.isEmpty ? "" : ", " + heads.map(\.quoted).joined(separator: ", ")
      looked =
        ": \(request.task == .entities ? 1 : 3) expected of Keras's class GlobalPointer or "
        + "EfficientGlobalPointer, whole, \(heads.count) found\(list)"
    }
    let names = role.layers(of: kind ?? .efficient, request.task)
    return ModelFileError(
      file: tensors.store.path,
      problem: "the head of \(role.purpose(request.task)) is not found\(looked); name its layers with "
        + names.map { "--tensor \($0)=NAME" }.joined(separator: " "))
  }
}
