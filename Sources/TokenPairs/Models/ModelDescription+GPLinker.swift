internal import ModelFiles

extension ModelDescription {
  /// What the two labels of a relation model are called, in the order of their scores.
  package static let relationLabels = ["subject", "object"]

  /// What the one link of an event model is called.
  package static let eventLink = "link"

  /// Reads `gplinker.json`: three heads of one kind, each a module of its own with the same parts.
  init(linker fields: JSONFields) throws(ModelFileError) {
    let name = try fields.string("task") ?? ""
    guard let task = ModelTask(rawValue: name), task != .entities else {
      throw fields.error("task", "\"\(name)\" is not a task of this file; \"relations\" and \"events\" are")
    }
    let labels = try fields.names("labels", of: "label")
    let links = try Self.links(fields, task)
    let schema = try Self.schema(labels, task, fields)

    let form = try HeadForm(of: fields)
    let rope = try fields.object("rope")
    let triangular = try fields.object("triangular")
    // Pairs of first tokens have no order in a relation; in an event each pair is scored once.
    let rotation = (labels: try rope?.bool("labels") ?? true, links: try rope?.bool("links") ?? false)
    let triangle = (
      labels: try triangular?.bool("labels") ?? true, links: try triangular?.bool("links") ?? (task == .events)
    )
    try form.check(rope: rotation.labels || rotation.links)
    let modules = try LinkerModules(fields, kind: form.kind)
    func head(_ module: String, of types: [String], _ field: String) -> HeadLayout {
      HeadLayout(
        kind: form.kind, dialect: form.dialect, headSize: form.headSize, types: types.count,
        rope: field == "labels" ? rotation.labels : rotation.links,
        triangular: field == "labels" ? triangle.labels : triangle.links,
        projectionName: "\(module).\(modules.parts[0])",
        biasName: form.kind == .efficient ? "\(module).\(modules.parts[1])" : nil, typesFile: fields.file,
        typesField: field)
    }
    self.init(
      task: task, labels: labels, links: links, eventSchema: schema,
      spanHead: head(modules.labels, of: labels, "labels"),
      linkHeads: LinkHeads(
        head: head(modules.head, of: links, "links"), tail: head(modules.tail, of: links, "links")),
      encoderPrefix: try fields.string("encoder_prefix") ?? "", file: fields.file)
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
