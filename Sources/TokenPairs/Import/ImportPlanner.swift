internal import ModelFiles

/// Finds, for everything that a model in normal form needs, where it is in a foreign checkpoint. Reads names and
/// shapes, no numbers.
struct ImportPlanner {
  private let request: ImportRequest
  private let configuration: BertConfiguration
  private let tensors: ForeignTensors
  private let naming: EncoderNaming
  private let route: ImportRoute
  private let prefix: String
  private var used: Set<String> = []

  private var style: TensorStyle { naming.style }

  /// Finds out how the checkpoint names its tensors.
  /// - Throws: `ModelFileError` if it has no encoder under any name that the training code gives one.
  init(
    _ request: ImportRequest, _ configuration: BertConfiguration, _ store: TensorStore
  ) throws(ModelFileError) {
    self.request = request
    self.configuration = configuration
    route = .of(request.dialect)
    for naming in route.encoders {
      let tensors = try ForeignTensors(store, style: naming.style)
      guard let prefix = try tensors.encoderPrefix(naming, usual: route.prefixes) else { continue }
      (self.tensors, self.naming, self.prefix) = (tensors, naming, prefix)
      return
    }
    let endings = route.encoders.map { $0.landmarks[0].quoted }.joined(separator: " or ")
    throw ModelFileError(
      file: store.path,
      problem: "holds no encoder as '\(request.dialect.name)' names it: no tensor's name ends in \(endings)"
        + (store.entries.first.map { "; the first is \($0.name.quoted)" } ?? ""))
  }

  /// Plans everything.
  /// - Throws: `ModelFileError` for the first tensor that is missing, of another shape or type, or unaccounted for
  ///   within the encoder.
  mutating func plan() throws(ModelFileError) -> ImportPlan {
    let heads = try HeadSearch(
      tensors: tensors, route: route, style: style, request: request, hiddenSize: configuration.hiddenSize
    ).heads()
    var plan = ImportPlan(head: heads[0].shape)
    for layer in configuration.encoderLayers {
      plan.tensors += try planned(
        layer, from: sources(of: layer), as: BertConfiguration.modelPrefix + layer.name, order: .asStored)
    }
    for layer in heads.flatMap(\.layers) {
      plan.tensors += try planned(layer.layer, from: [layer.source], as: layer.layer.name, order: layer.order)
    }
    try addTaskEmbedding(to: &plan)
    try checkNames()
    plan.leftOut = try leftOver()
    return plan
  }

  private func sources(of layer: ModelLayer) -> [String] {
    naming.candidates(for: layer.name).map { prefix + $0 }
  }

  private mutating func planned(
    _ layer: ModelLayer, from sources: [String], as name: String, order: LayerOrder
  ) throws(ModelFileError) -> [PlannedTensor] {
    let sources = request.layerNames[layer.name].map { [tensors.layer($0)] } ?? sources
    var planned: [PlannedTensor] = []
    for part in layer.parts {
      let names = sources.flatMap { style.names(of: part.role, in: $0, layer.form) }
      guard let found = tensors.first(names), let entry = tensors.entries[found] else {
        throw missing(names[0], of: layer.name)
      }
      used.insert(found)
      let isTransposed = style.storesInputsFirst && layer.form == .dense && part.shape.count == 2
      let expected = isTransposed ? part.shape.reversed() : part.shape
      guard entry.shape == expected else {
        throw tensors.error(found, "shape \(expected) expected, \(entry.shape) found")
      }
      guard [.float16, .bfloat16, .float32, .float64].contains(entry.elementType) else {
        throw tensors.error(found, "holds \(entry.elementType.rawValue), where real numbers are expected")
      }
      planned.append(
        PlannedTensor(
          name: part.name(in: name), source: entry.name, shape: part.shape, isTransposed: isTransposed, order: order))
    }
    return planned
  }

  private func missing(_ name: String, of layer: String) -> ModelFileError {
    var error = tensors.store.missing(name)
    if style == .keras {
      // The ranked name is none of the file's.
      error = ModelFileError(file: error.file, subject: KerasNames.description(name), problem: "is missing")
    }
    return ModelFileError(
      file: error.file, subject: error.subject,
      problem: error.problem + "; --tensor \(layer)=NAME names another layer")
  }

  /// ERNIE 3.0 adds a vector for its task to every token: the one of task 0, which its segments can carry as well.
  private mutating func addTaskEmbedding(to plan: inout ImportPlan) throws(ModelFileError) {
    let name = prefix + "embeddings.task_type_embeddings.weight"
    guard naming.style == .paddle, let entry = tensors.entries[name] else { return }
    guard entry.shape.count == 2, entry.shape[0] > 0, entry.shape[1] == configuration.hiddenSize else {
      throw tensors.error(name, "shape [tasks, \(configuration.hiddenSize)] expected, \(entry.shape) found")
    }
    used.insert(name)
    for index in plan.tensors.indices
    where plan.tensors[index].name == BertConfiguration.modelPrefix + "embeddings.token_type_embeddings.weight" {
      plan.tensors[index].addend = entry.name
    }
  }

  /// Refuses a name for a layer that the model does not have.
  private func checkNames() throws(ModelFileError) {
    var known = Set(configuration.encoderLayers.map(\.name))
    for role in HeadRole.all(of: request.task) {
      for kind in HeadKind.allCases { known.formUnion(role.layers(of: kind, request.task)) }
    }
    if let unknown = request.layerNames.keys.sorted().first(where: { !known.contains($0) }) {
      throw ModelFileError(
        file: tensors.store.path, problem: "--tensor \(unknown)=…: the model has no layer \(unknown.quoted)")
    }
  }

  /// What no layer took.
  private func leftOver() throws(ModelFileError) -> [String] {
    let left = tensors.entries.filter { !used.contains($0.key) && !ForeignTensors.isIgnorable($0.key) }
    // A layer more than config.json knows would change every result.
    let starts = (style == .keras ? ["Transformer-", "Embedding-"] : [naming.layersStart, "embeddings."])
      .map { prefix + $0 }
    let within = left.keys.filter { name in starts.contains { name.hasPrefix($0) } }
    if let stranger = within.sorted().first {
      throw tensors.error(
        stranger,
        "belongs to the encoder, and config.json, with \(configuration.layerCount) layers, has no place for it")
    }
    return left.values.map(\.name).sorted()
  }
}

/// Everything that an import will write, decided before anything is written.
struct ImportPlan {
  var tensors: [PlannedTensor] = []
  /// Stored tensors that the model has no place for.
  var leftOut: [String] = []
  /// What the head that finds spans computes.
  var head: HeadShape
}

/// One tensor of the model that is written, and how it comes from a stored one: moved, never rounded.
struct PlannedTensor {
  /// Its name in the model that is written.
  let name: String
  /// The stored one's name.
  let source: String
  /// Its shape in the model that is written.
  let shape: [Int]
  /// The stored one has its two dimensions the other way round.
  let isTransposed: Bool
  /// Where its rows and columns come from.
  var order = LayerOrder.asStored
  /// A tensor whose first row is added to every row; the one exception to the rule.
  var addend: String?

  /// Reads the stored tensor and brings it into the model's form.
  /// - Throws: `ModelFileError` if its bytes are damaged or a number in it is not finite.
  func read(from store: TensorStore) throws(ModelFileError) -> StoredTensor {
    var tensor = try store.tensor(named: source)
    if let floats = tensor.floats, let place = floats.firstIndex(where: { !$0.isFinite }) {
      throw ModelFileError(
        file: store.path, subject: "tensor \(source.quoted)",
        problem: "element \(place) is \(floats[place]), where a finite number is expected")
    }
    tensor = order.applied(to: tensor, isTransposed: isTransposed)
    guard let addend else { return tensor }
    let added = try store.tensor(named: addend).floats ?? []
    let sums = (tensor.floats ?? []).enumerated().map { $1 + added[$0 % shape[1]] }
    return StoredTensor(floats: sums, shape: shape)
  }
}
