package import ModelFiles

/// What a model directory recognises, and where its heads are: `globalpointer.json` for a model of entities,
/// `gplinker.json` for one of relations or events.
package struct ModelDescription: Sendable {
  /// The two heads of a GPLinker that join spans: one scores pairs of first tokens, one pairs of last tokens.
  package struct LinkHeads: Sendable {
    package let head: HeadLayout
    package let tail: HeadLayout
  }

  package let task: ModelTask
  /// What spans are called: entity types; `subject` and `object`; or `TYPE/ROLE` for every role of every event type.
  package let labels: [String]
  /// What pairs of spans are called: predicates for relations, one `link` for events, none for entities.
  package let links: [String]
  /// What the labels mean in a model of events; nil for others.
  package let eventSchema: EventSchema?
  /// The head that finds spans, a type a label.
  package let spanHead: HeadLayout
  /// The heads that join spans, a type a link; nil for entities.
  package let linkHeads: LinkHeads?
  /// What the encoder's tensor names start with.
  package let encoderPrefix: String
  /// The file that all this was read from.
  package let file: String

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

  init(
    task: ModelTask, labels: [String], links: [String] = [], eventSchema: EventSchema? = nil, spanHead: HeadLayout,
    linkHeads: LinkHeads? = nil, encoderPrefix: String, file: String
  ) {
    self.task = task
    self.labels = labels
    self.links = links
    self.eventSchema = eventSchema
    self.spanHead = spanHead
    self.linkHeads = linkHeads
    self.encoderPrefix = encoderPrefix
    self.file = file
  }
}

extension JSONFields {
  /// A list of names, none of them twice.
  func names(_ field: String, of noun: String) throws(ModelFileError) -> [String] {
    guard let names = try strings(field), !names.isEmpty else {
      throw error(field, "at least one \(noun) expected")
    }
    var seen: Set<String> = []
    for name in names where !seen.insert(name).inserted { throw error(field, "\"\(name)\" stands there twice") }
    return names
  }
}
