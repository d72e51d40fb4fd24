/// What the labels of an event model mean: each is a role of an event type.
package struct EventSchema: Sendable, Hashable {
  /// A label as indices.
  package struct Label: Sendable, Hashable {
    package let type: Int
    package let role: Int
  }

  /// Event types, in order of their first label.
  package private(set) var types: [String] = []
  /// Roles of all types, in order of their first label; types share roles of one name.
  package private(set) var roles: [String] = []
  /// What each of the model's labels is.
  package private(set) var labels: [Label] = []
  /// The trigger's index among the roles, if any type has a trigger.
  package let triggerRole: Int?
  private var typesWithTrigger: Set<Int> = []

  /// Takes a model's labels apart.
  /// - Throws: `EventLabelError` for the first label that has no type and role.
  package init(labels names: [String]) throws(EventLabelError) {
    var typeIndices: [String: Int] = [:]
    var roleIndices: [String: Int] = [:]
    for name in names {
      let label = try EventLabel(name)
      let type = Self.index(of: label.type, in: &types, &typeIndices)
      let role = Self.index(of: label.role, in: &roles, &roleIndices)
      labels.append(Label(type: type, role: role))
      if label.role == EventLabel.triggerRole { typesWithTrigger.insert(type) }
    }
    triggerRole = roleIndices[EventLabel.triggerRole]
  }

  /// Whether events of a type have triggers; those of a type without that label cannot.
  package func hasTrigger(type: Int) -> Bool { typesWithTrigger.contains(type) }

  /// The node that a span of one of the model's labels is.
  package func node(label: Int, span: Range<Int>, score: Float) -> EventNode {
    EventNode(type: labels[label].type, role: labels[label].role, span: span, score: score)
  }

  private static func index(of name: String, in names: inout [String], _ indices: inout [String: Int]) -> Int {
    if let index = indices[name] { return index }
    indices[name] = names.count
    names.append(name)
    return names.count - 1
  }
}
