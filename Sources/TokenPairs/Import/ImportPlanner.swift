internal import ModelFiles

/// Finds, for everything that a model in normal form needs, where it is in a foreign checkpoint. Reads names and
/// shapes, no numbers.
struct ImportPlanner {
  /// What the encoder's tensor names begin with in the model that is written.
  static let encoderPrefix = "bert."

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
    let heads = try self.heads()
    var plan = ImportPlan(kind: heads[0].kind, headSize: heads[0].headSize)
    for layer in configuration.encoderLayers {
      plan.tensors += try planned(
        layer, from: sources(of: layer), as: Self.encoderPrefix + layer.name, replaceable: layer.name)
    }
    for head in heads {
      for (index, (layer, source)) in head.layers.enumerated() {
        for var tensor in try planned(layer, from: [source], as: layer.name, replaceable: layer.name) {
          head.order(&tensor, layer: index)
          plan.tensors.append(tensor)
        }
      }
    }
    try addTaskEmbedding(to: &plan)
    try checkNames()
    plan.leftOut = try leftOver()
    return plan
  }

  // MARK: Heads

  private func heads() throws(ModelFileError) -> [HeadPlan] {
    let modules = route.modules(for: request.task, in: tensors, style)
    var heads = [try head(.spans, in: modules.spans, kind: request.kind)]
    guard request.task != .entities else { return heads }
    for (role, modules) in [(ModelHead.head, modules.head), (.tail, modules.tail)] {
      let head = try head(role, in: modules, kind: heads[0].kind)
      guard head.headSize == heads[0].headSize else {
        throw ModelFileError(
          file: tensors.store.path,
          problem:
            "\(role.module(request.task)) has heads of \(head.headSize), \(ModelHead.spans.module(request.task)) "
            + "of \(heads[0].headSize): all of one size are expected")
      }
      heads.append(head)
    }
    return heads
  }

  private func head(_ role: ModelHead, in modules: [String], kind: HeadKind?) throws(ModelFileError) -> HeadPlan {
    let search = HeadSearch(tensors: tensors, route: route, style: style, given: request.layerNames)
    let names = { role.layers(of: $0, request.task) }
    guard let found = search.head(below: modules, names: names, kind: kind) else {
      throw missingHead(role, modules, kind)
    }
    let types =
      role == .spans
      ? HeadTypes(count: request.labels.count, noun: "labels")
      : HeadTypes(count: request.links.count, noun: request.task == .events ? "links" : "predicates")
    return try HeadPlan(found, in: search, for: types, request, hiddenSize: configuration.hiddenSize)
  }

  private func missingHead(_ role: ModelHead, _ modules: [String], _ kind: HeadKind?) -> ModelFileError {
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

  // MARK: Tensors

  private func sources(of layer: ModelLayer) -> [String] {
    naming.candidates(for: layer.name).map { prefix + $0 }
  }

  private mutating func planned(
    _ layer: ModelLayer, from sources: [String], as name: String, replaceable: String
  ) throws(ModelFileError) -> [PlannedTensor] {
    let sources = request.layerNames[replaceable].map { [tensors.layer($0)] } ?? sources
    var planned: [PlannedTensor] = []
    for part in layer.parts {
      let names = sources.flatMap { style.names(of: part.role, in: $0, layer.kind) }
      guard let found = tensors.first(names), let entry = tensors.entries[found] else {
        throw missing(names[0], of: replaceable)
      }
      used.insert(found)
      let isTransposed = style.storesInputsFirst && layer.kind == .dense && part.shape.count == 2
      let expected = isTransposed ? part.shape.reversed() : part.shape
      guard entry.shape == expected else {
        throw tensors.error(found, "shape \(expected) expected, \(entry.shape) found")
      }
      guard [.float16, .bfloat16, .float32, .float64].contains(entry.elementType) else {
        throw tensors.error(found, "holds \(entry.elementType.rawValue), where real numbers are expected")
      }
      planned.append(
        PlannedTensor(
          name: name + (part.role == .weight ? ".weight" : ".bias"), source: entry.name, shape: part.shape,
          isTransposed: isTransposed))
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
    where plan.tensors[index].name == Self.encoderPrefix + "embeddings.token_type_embeddings.weight" {
      plan.tensors[index].addend = entry.name
    }
  }

  /// Refuses a name for a layer that the model does not have.
  private func checkNames() throws(ModelFileError) {
    var known = Set(configuration.encoderLayers.map(\.name))
    let roles: [ModelHead] = request.task == .entities ? [.spans] : [.spans, .head, .tail]
    for role in roles { for kind in HeadKind.allCases { known.formUnion(role.layers(of: kind, request.task)) } }
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
