/// A label of an event model, `TYPE/ROLE`: what kind of event, and what a span is to it.
package struct ArgumentLabel: Sendable, Hashable {
  package let type: String
  package let role: String

  /// Splits a label at its last slash: types contain slashes too, as in `组织关系-辞/离职/trigger`.
  /// - Returns: nil without a slash that has text on both sides.
  package init?(_ label: String) {
    guard let slash = label.lastIndex(of: "/") else { return nil }
    type = String(label[..<slash])
    role = String(label[label.index(after: slash)...])
    if type.isEmpty || role.isEmpty { return nil }
  }
}
