package import ModelFiles

/// What a model finds in text. The raw value is the field `task` of its description.
public enum ModelTask: String, Sendable, Hashable, Codable, CaseIterable {
  /// Labelled spans.
  case entities
  /// Triples of two spans and a predicate (GPLinker).
  case relations
  /// Sets of spans that play the roles of one event (GPLinker).
  case events

  /// The file that describes such a model, in its directory.
  package var descriptionFile: String { self == .entities ? "globalpointer.json" : "gplinker.json" }
}

/// What a model directory recognises, and where its heads are: `globalpointer.json` for a model of entities,
/// `gplinker.json` for one of relations or events.
package struct ModelDescription: Sendable {
  /// What the two labels of a relation model are called, in the order of their scores.
  package static let relationLabels = ["subject", "object"]

  /// What the one link of an event model is called.
  package static let eventLink = "link"

  package let task: ModelTask
  /// What spans are called: entity types; `subject` and `object`; or `TYPE/ROLE` for every role of every event type.
  package let labels: [String]
  /// What pairs of spans are called: predicates for relations, one `link` for events, none for entities.
  package let links: [String]
  /// What the labels mean in a model of events; nil for others.
  package let eventSchema: EventSchema?
  /// The head that finds spans, a type a label.
  package let spanHead: HeadLayout
  /// The two heads that join spans, a type a link: one scores pairs of first tokens, one pairs of last tokens. Nil for
  /// entities.
  package let linkHeads: (head: HeadLayout, tail: HeadLayout)?
  /// What the encoder's tensor names start with.
  package let encoderPrefix: String
  /// The file that all this was read from.
  package let file: String

  /// The span head, then the head and tail heads of links if there are links.
  var heads: [HeadLayout] { [spanHead] + (linkHeads.map { [$0.head, $0.tail] } ?? []) }

  /// Reads and checks the description in a model directory.
  /// - Throws: `ModelFileError` that names the field at fault, or says that there are two descriptions or none.
  package init(directory: String) throws(ModelFileError) {
    let linker = directory + "/" + ModelTask.relations.descriptionFile
    let pointer = directory + "/" + ModelTask.entities.descriptionFile
    switch (fileExists(pointer), fileExists(linker)) {
    case (true, true):
      throw ModelFileError(
        file: directory, problem: "holds both globalpointer.json and gplinker.json; a model is described by one of them"
      )
    case (false, false):
      throw ModelFileError(
        file: pointer, problem: "cannot be opened: No such file or directory, and there is no gplinker.json either")
    case (true, false): try self.init(pointer: JSONFields(file: pointer))
    case (false, true): try self.init(linker: JSONFields(file: linker))
    }
  }

  // MARK: globalpointer.json

  /// Reads `globalpointer.json`: one head, whose tensors are named by their role.
  private init(pointer fields: JSONFields) throws(ModelFileError) {
    let task = try fields.string("task") ?? ModelTask.entities.rawValue
    guard task == ModelTask.entities.rawValue else {
      throw fields.error("task", "\"\(task)\" is not a task of this file; \"entities\" is")
    }
    self.task = .entities
    labels = try fields.names("labels", of: "label")
    let head = try HeadFields(of: fields)
    let rope = try head.fields.bool("rope") ?? true
    try head.check(rope: rope)
    let triangular = try head.fields.bool("triangular") ?? true
    let tensors = try head.fields.object("tensors")
    let projectionName: String
    let biasName: String?
    switch head.kind {
    case .globalPointer:
      projectionName = try tensors?.string("dense") ?? "dense"
      biasName = nil
    case .efficient:
      projectionName = try tensors?.string("p_dense") ?? "p_dense"
      biasName = try tensors?.string("q_dense") ?? "q_dense"
    }
    spanHead = head.layout(
      types: labels.count, rope: rope, triangular: triangular, projection: projectionName, bias: biasName,
      listedIn: (fields.file, "labels"))
    (links, eventSchema, linkHeads) = ([], nil, nil)
    encoderPrefix = try fields.string("encoder_prefix") ?? ""
    file = fields.file
  }

  // MARK: gplinker.json

  /// Reads `gplinker.json`: three heads of one kind, each a module of its own with the same parts.
  private init(linker fields: JSONFields) throws(ModelFileError) {
    let name = try fields.string("task") ?? ""
    guard let task = ModelTask(rawValue: name), task != .entities else {
      throw fields.error("task", "\"\(name)\" is not a task of this file; \"relations\" and \"events\" are")
    }
    self.task = task
    let labels = try fields.names("labels", of: "label")
    let links = try Self.links(fields, task)
    eventSchema = try Self.schema(labels, task, fields)
    (self.labels, self.links) = (labels, links)

    let shared = try HeadFields(of: fields)
    let rope = try fields.object("rope")
    let triangular = try fields.object("triangular")
    // Pairs of first tokens have no order in a relation; in an event each pair is scored once.
    let rotation = (labels: try rope?.bool("labels") ?? true, links: try rope?.bool("links") ?? false)
    let triangle = (
      labels: try triangular?.bool("labels") ?? true, links: try triangular?.bool("links") ?? (task == .events)
    )
    try shared.check(rope: rotation.labels || rotation.links)
    let modules = try LinkerModules(fields, kind: shared.kind)
    func head(_ module: String, types: Int, rope: Bool, triangular: Bool, _ field: String) -> HeadLayout {
      let names = modules.parts.map { "\(module).\($0)" }
      return shared.layout(
        types: types, rope: rope, triangular: triangular, projection: names[0],
        bias: shared.kind == .efficient ? names[1] : nil, listedIn: (fields.file, field))
    }
    func link(_ module: String) -> HeadLayout {
      head(module, types: links.count, rope: rotation.links, triangular: triangle.links, "links")
    }
    spanHead = head(modules.labels, types: labels.count, rope: rotation.labels, triangular: triangle.labels, "labels")
    linkHeads = (link(modules.head), link(modules.tail))
    encoderPrefix = try fields.string("encoder_prefix") ?? ""
    file = fields.file
  }

  private static func links(_ fields: JSONFields, _ task: ModelTask) throws(ModelFileError) -> [String] {
    if task == .events, fields["links"] == nil { return [eventLink] }
    let links = try fields.names("links", of: task == .events ? "link" : "predicate")
    guard task == .relations || links.count == 1 else {
      throw fields.error("links", "\(links.count) are listed; events have one, \"\(eventLink)\"")
    }
    return links
  }

  private static func schema(
    _ labels: [String], _ task: ModelTask, _ fields: JSONFields
  ) throws(ModelFileError) -> EventSchema? {
    if task == .relations {
      guard labels == relationLabels else {
        throw fields.error("labels", "a model of relations has the labels \"subject\" and \"object\", in this order")
      }
      return nil
    }
    do { return try EventSchema(labels: labels) } catch { throw fields.error("labels", error.description) }
  }
}

/// The field `tensors` of `gplinker.json`: the module of each head, and the layers in each.
private struct LinkerModules {
  let labels: String
  let head: String
  let tail: String
  /// The projection, and for an efficient head the bias.
  let parts: [String]

  init(_ fields: JSONFields, kind: HeadKind) throws(ModelFileError) {
    guard let tensors = try fields.object("tensors") else { throw fields.error("tensors", "is missing") }
    func module(_ role: String) throws(ModelFileError) -> String {
      guard let name = try tensors.string(role) else { throw tensors.error(role, "is missing") }
      return name
    }
    labels = try module("labels")
    head = try module("head")
    tail = try module("tail")
    guard head != labels else { throw tensors.error("head", "\"\(head)\" is the head of the labels too") }
    guard tail != labels, tail != head else { throw tensors.error("tail", "\"\(tail)\" is another head too") }
    parts = try tensors.strings("parts") ?? []
    let expected = kind == .efficient ? 2 : 1
    guard parts.count == expected else {
      throw tensors.error(
        "parts",
        "\(expected) expected for a head of kind \"\(kind.rawValue)\": "
          + (kind == .efficient ? "the projection and the bias" : "the projection"))
    }
  }
}

extension JSONFields {
  /// A list of names, none of them twice.
  fileprivate func names(_ field: String, of noun: String) throws(ModelFileError) -> [String] {
    guard let names = try strings(field), !names.isEmpty else {
      throw error(field, "at least one \(noun) expected")
    }
    var seen: Set<String> = []
    for name in names where !seen.insert(name).inserted { throw error(field, "\"\(name)\" stands there twice") }
    return names
  }
}

// MARK: Heads

/// The field `head` of a description: what all heads of a model have in common.
private struct HeadFields {
  let kind: HeadKind
  private let dialect: HeadDialect
  private let headSize: Int
  /// The field itself, for what depends on the file.
  let fields: JSONFields

  /// Reads the field.
  /// - Parameter description: the whole file.
  /// - Throws: `ModelFileError` that names what is missing, unknown or out of range.
  init(of description: JSONFields) throws(ModelFileError) {
    guard let head = try description.object("head") else { throw description.error("head", "is missing") }
    fields = head
    let kindName = try head.string("kind") ?? ""
    guard let kind = HeadKind(rawValue: kindName) else {
      throw head.error(
        "kind", "\"\(kindName)\" is unknown; known: \(HeadKind.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    self.kind = kind
    dialect = try Self.dialect(head)
    guard let headSize = try head.integer("head_size", in: 1...4096) else {
      throw head.error("head_size", "is missing")
    }
    self.headSize = headSize
  }

  /// Refuses a rotation of channels that do not pair up.
  func check(rope: Bool) throws(ModelFileError) {
    guard !rope || headSize.isMultiple(of: 2) else {
      throw fields.error("head_size", "\(headSize) is odd, and rotation needs pairs of channels")
    }
  }

  /// One of the heads.
  func layout(
    types: Int, rope: Bool, triangular: Bool, projection: String, bias: String?,
    listedIn source: (file: String, field: String)
  ) -> HeadLayout {
    HeadLayout(
      shape: dialect.shape(kind, types: types, headSize: headSize, rope: rope, triangular: triangular),
      dialect: dialect, projectionName: projection, biasName: bias, typesFile: source.file, typesField: source.field)
  }

  /// The dialect; that of the normal form may say how its bias is made, every other settles that itself.
  private static func dialect(_ head: JSONFields) throws(ModelFileError) -> HeadDialect {
    let name = try head.string("dialect") ?? ""
    guard let dialect = HeadDialect.named(name) else {
      throw head.error(
        "dialect", "\"\(name)\" is unknown; known: \(HeadDialect.all.map(\.name).joined(separator: ", "))")
    }
    let scale = try head.number("bias_scale")
    let input = try head.string("bias_input")
    guard dialect == .normal else {
      for (field, isGiven) in [("bias_scale", scale != nil), ("bias_input", input != nil)] where isGiven {
        throw head.error(
          field,
          "is for the dialect \"\(HeadDialect.normal.name)\"; \"\(dialect.name)\" settles it: leave the field out")
      }
      return dialect
    }
    if let scale, !Float(scale).isFinite { throw head.error("bias_scale", "\(scale) is out of range") }
    var biasInput = dialect.biasInput
    if let input {
      guard let known = HeadDialect.BiasInput(rawValue: input) else {
        throw head.error(
          "bias_input",
          "\"\(input)\" is unknown; known: \(HeadDialect.BiasInput.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      biasInput = known
    }
    return .normal(biasScale: scale.map { Float($0) } ?? dialect.biasScale, biasInput: biasInput)
  }
}

/// One token-pair head of a checkpoint: what it computes, where its tensors are, and how they are laid out.
package struct HeadLayout: Sendable {
  package let shape: HeadShape
  package let dialect: HeadDialect
  /// The layer that queries and keys come from; its tensors are `name.weight` and `name.bias`.
  package let projectionName: String
  /// The layer that biases come from; nil for a plain head.
  package let biasName: String?
  /// The names of the types: the file that lists them, and its field.
  fileprivate let typesFile: String
  fileprivate let typesField: String

  /// Reads the head's tensors and brings them into normal form.
  ///
  /// - Parameters:
  ///   - checkpoint: where the tensors are.
  ///   - hiddenSize: the width of the encoder's output.
  /// - Returns: the parameters, whatever dialect they were stored in.
  /// - Throws: `ModelFileError` for a tensor that is missing or of another shape, or made for another number of
  ///   labels or predicates than the description lists.
  package func parameters(from checkpoint: Checkpoint, hiddenSize: Int) throws(ModelFileError) -> HeadParameters {
    try checkTypeCount(checkpoint)
    let isTransposed = dialect.storesInputsFirst
    let projection = try LayerParameters(
      checkpoint, projectionName, outputs: shape.projectionWidth, inputs: hiddenSize, isTransposed: isTransposed,
      order: dialect.projectionOrder(of: shape))
    var bias: LayerParameters?
    if let biasName {
      bias = try LayerParameters(
        checkpoint, biasName, outputs: 2 * shape.types, inputs: shape.biasInputs(hiddenSize: hiddenSize),
        isTransposed: isTransposed, order: dialect.biasOrder(of: shape))
    }
    return HeadParameters(shape, projection: projection, bias: bias)
  }

  /// Says it in terms of labels when the tensors were made for another number of them.
  private func checkTypeCount(_ checkpoint: Checkpoint) throws(ModelFileError) {
    let name = (biasName ?? projectionName) + ".bias"
    let perType = shape.kind == .efficient ? 2 : 2 * shape.headSize
    guard let stored = checkpoint.entry(named: name)?.shape, stored.count == 1, stored != [perType * shape.types],
      stored[0].isMultiple(of: perType)
    else { return }
    throw ModelFileError(
      file: typesFile, subject: "field '\(typesField)'",
      problem:
        "\(shape.types) \(typesField) are listed, tensor '\(name)' of \(checkpoint.path) has \(stored[0] / perType)")
  }
}
