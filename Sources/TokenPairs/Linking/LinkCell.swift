/// Whether a link of two spans looks the same from both ends.
package enum LinkDirection: Sendable, Hashable {
  /// Rows belong to the first span, columns to the second: relations, from subject to object.
  case directed
  /// Only cells with `row <= column` count, and either span may give the row: arguments of an event.
  case symmetric
}

/// The place in a link matrix that says whether two spans belong together: one cell for their heads (first tokens),
/// another for their tails (last tokens). Spans count tokens, end-exclusive.
package struct LinkCell: Sendable, Hashable {
  package let row: Int
  package let column: Int

  package init(row: Int, column: Int) {
    self.row = row
    self.column = column
  }

  /// The cell of the first tokens, in the matrix of the head links.
  package static func head(_ a: Range<Int>, _ b: Range<Int>, _ direction: LinkDirection) -> LinkCell {
    LinkCell(a.lowerBound, b.lowerBound, direction)
  }

  /// The cell of the last tokens, in the matrix of the tail links.
  package static func tail(_ a: Range<Int>, _ b: Range<Int>, _ direction: LinkDirection) -> LinkCell {
    LinkCell(a.upperBound - 1, b.upperBound - 1, direction)
  }

  private init(_ a: Int, _ b: Int, _ direction: LinkDirection) {
    switch direction {
    case .directed: self.init(row: a, column: b)
    case .symmetric: self.init(row: min(a, b), column: max(a, b))
    }
  }
}
