/// A head's place in a model, and what its layers are called in the normal form.
enum ModelHead: Hashable {
  case spans
  case head
  case tail

  /// The module that the layers are in; none for entities.
  func module(_ task: ModelTask) -> String {
    switch (self, task) {
    case (.spans, .entities): ""
    case (.spans, .relations): "entity_output"
    case (.spans, .events): "argument_output"
    case (.head, _): "head_output"
    case (.tail, _): "tail_output"
    }
  }

  /// The layers inside the module.
  static func parts(of kind: HeadKind) -> [String] {
    kind == .efficient ? ["p_dense", "q_dense"] : ["dense"]
  }

  /// The layers by their whole names.
  func layers(of kind: HeadKind, _ task: ModelTask) -> [String] {
    let module = module(task)
    return Self.parts(of: kind).map { module.isEmpty ? $0 : "\(module).\($0)" }
  }

  /// What the head finds, for messages.
  func purpose(_ task: ModelTask) -> String {
    switch (self, task) {
    case (.spans, .entities): "entities"
    case (.spans, .relations): "subjects and objects"
    case (.spans, .events): "arguments"
    case (.head, _): "links between first tokens"
    case (.tail, _): "links between last tokens"
    }
  }
}
