internal import ModelFiles

/// The labels or predicates that a head's matrices stand for.
struct HeadTypes {
  let count: Int
  /// What they are called in messages.
  let noun: String

  /// `2 labels are given`
  var given: String { "\(count) \(noun) \(count == 1 ? "is" : "are") given" }
}

/// One head of a foreign checkpoint, measured.
struct HeadPlan {
  let kind: HeadKind
  let headSize: Int
  /// Its layers in the model that is written, and the layers they come from.
  let layers: [(layer: ModelLayer, source: String)]
  private let types: Int
  private let dialect: HeadDialect

  /// Tells the head's size from its tensors.
  /// - Throws: `ModelFileError` if they were made for another number of types, or another size than the request says.
  init(
    _ found: FoundHead, in search: HeadSearch, for types: HeadTypes, _ request: ImportRequest, hiddenSize: Int
  ) throws(ModelFileError) {
    let projection = try search.outputs(of: found.sources[0])
    let size = try Self.headSize(found, projection, in: search, for: types, given: request.headSize)
    if let given = request.headSize, given != size {
      throw search.tensors.error(projection.tensor, "made for heads of \(size), where \(given) is given")
    }
    kind = found.kind
    headSize = size
    self.types = types.count
    dialect = request.dialect
    var layers = [ModelLayer(name: found.names[0], kind: .dense, outputs: projection.count, inputs: hiddenSize)]
    if found.kind == .efficient {
      let inputs = request.dialect.biasInput == .hidden ? hiddenSize : projection.count
      layers.append(ModelLayer(name: found.names[1], kind: .dense, outputs: 2 * types.count, inputs: inputs))
    }
    self.layers = zip(layers, found.sources).map { ($0, $1) }
  }

  private static func headSize(
    _ found: FoundHead, _ projection: (count: Int, tensor: String), in search: HeadSearch, for types: HeadTypes,
    given: Int?
  ) throws(ModelFileError) -> Int {
    switch found.kind {
    case .efficient:
      let biases = try search.outputs(of: found.sources[1])
      guard biases.count == 2 * types.count else {
        let made =
          biases.count.isMultiple(of: 2) ? "made for \(biases.count / 2) \(types.noun)" : "\(biases.count) outputs"
        throw search.tensors.error(biases.tensor, "\(made), \(types.given)")
      }
      guard projection.count.isMultiple(of: 2) else {
        throw search.tensors.error(projection.tensor, "\(projection.count) outputs are not a query and a key")
      }
      return projection.count / 2
    case .globalPointer:
      let block = 2 * max(1, given ?? 1)
      guard projection.count.isMultiple(of: block * types.count) else {
        throw search.tensors.error(
          projection.tensor,
          "\(projection.count) outputs are no multiple of \(block * types.count): it was made for another number of "
            + "\(types.noun); \(types.given)")
      }
      return projection.count / types.count / 2
    }
  }

  /// Puts the rows and columns of a tensor of layer `index` into the order of the normal form.
  func order(_ tensor: inout PlannedTensor, layer index: Int) {
    guard kind == .efficient else { return }
    let channels = (0..<2 * headSize).map { dialect.projectionRow($0, headSize: headSize) }
    if index == 0 {
      tensor.rows = channels
    } else {
      tensor.rows = (0..<2 * types).map { dialect.biasRow($0, types: types) }
      // The bias layer reads the projection, whose channels have just moved.
      if dialect.biasInput == .projection, tensor.shape.count == 2 { tensor.columns = channels }
    }
  }
}

extension ForeignTensors {
  /// An error about a tensor, under the name that it is stored under.
  func error(_ name: String, _ problem: String) -> ModelFileError {
    ModelFileError(
      file: store.path, subject: "tensor \((entries[name]?.name ?? name).quoted)", problem: problem)
  }
}
