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
    "label \"\(label)\" is not of the form TYPE/ROLE, such as \"Attack/\(EventLabel.triggerRole)\""
  }
}
