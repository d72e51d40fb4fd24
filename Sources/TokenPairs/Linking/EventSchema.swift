internal import ModelFiles

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

  /// The order of an event's spans, of one type: in reading order, then by role.
  func precedes(_ a: LabelledSpan, _ b: LabelledSpan) -> Bool {
    (a.range.lowerBound, a.range.upperBound, labels[a.label].role)
      < (b.range.lowerBound, b.range.upperBound, labels[b.label].role)
  }

  /// Whether a span is the trigger of its events.
  func isTrigger(_ span: LabelledSpan) -> Bool { labels[span.label].role == triggerRole }

  private static func index(of name: String, in names: inout [String], _ indices: inout [String: Int]) -> Int {
    if let index = indices[name] { return index }
    indices[name] = names.count
    names.append(name)
    return names.count - 1
  }
}

/// A label of an event model, taken apart: "人生-死亡/死者" is the role 死者 of the event type 人生-死亡.
///
/// The type is everything before the last "/", for types have slashes themselves: "组织关系-辞/离职/trigger" is the trigger
/// of 组织关系-辞/离职.
package struct EventLabel: Sendable, Hashable {
  /// The role of the word that says that something happened.
  package static let triggerRole = "trigger"

  package let type: String
  package let role: String

  /// Takes a label apart.
  /// - Throws: `EventLabelError` for a label without "/", or with nothing on a side of the last one.
  package init(_ label: String) throws(EventLabelError) {
    guard let slash = label.lastIndex(of: "/"), slash > label.startIndex, label.index(after: slash) < label.endIndex
    else { throw EventLabelError(label: label) }
    type = String(label[..<slash])
    role = String(label[label.index(after: slash)...])
  }
}

/// A label that does not say which event type and which role it stands for.
package struct EventLabelError: Error, Sendable, Hashable, CustomStringConvertible {
  package let label: String

  package var description: String {
    "label \"\(label.printable)\" is not of the form TYPE/ROLE, such as \"Attack/\(EventLabel.triggerRole)\""
  }
}
