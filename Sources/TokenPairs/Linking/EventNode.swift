/// A span that plays a role in events of a type.
package struct EventNode: Sendable, Hashable {
  /// Index of the event type.
  package let type: Int
  /// Index of the role.
  package let role: Int
  /// Tokens or code points, end-exclusive.
  package let span: Range<Int>
  package let score: Float

  package init(type: Int, role: Int, span: Range<Int>, score: Float) {
    self.type = type
    self.role = role
    self.span = span
    self.score = score
  }

  /// What makes a node itself.
  struct Place: Hashable {
    let type: Int
    let role: Int
    let span: Range<Int>

    /// By type, then in reading order, then by role.
    static func precedes(_ a: Place, _ b: Place) -> Bool {
      (a.type, a.span.lowerBound, a.span.upperBound, a.role) < (b.type, b.span.lowerBound, b.span.upperBound, b.role)
    }
  }

  var place: Place { Place(type: type, role: role, span: span) }
}

/// An event as indices.
package struct DecodedEvent: Sendable, Hashable {
  package let type: Int
  /// Its arguments, trigger included, as indices of nodes; in reading order.
  package let nodes: [Int]
}
