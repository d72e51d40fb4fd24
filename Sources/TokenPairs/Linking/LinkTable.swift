package import Engine

/// The cells above the threshold of a document's head links or tail links, for looking up.
package struct LinkTable: Sendable {
  struct Entry: Sendable, Hashable {
    let predicate: Int
    let score: Float
  }

  private var entries: [LinkCell: [Entry]] = [:]

  /// Takes a document's list of cells, `matrix` being the predicate; of a cell given twice the higher score stays.
  package init(_ cells: some Sequence<PairCell>) {
    for cell in cells {
      entries[LinkCell(row: cell.row, column: cell.column), default: []]
        .append(Entry(predicate: cell.matrix, score: cell.score))
    }
    for (cell, list) in entries where list.count > 1 {
      var distinct: [Entry] = []
      for entry in list.sorted(by: { ($0.predicate, -$0.score) < ($1.predicate, -$1.score) })
      where distinct.last?.predicate != entry.predicate {
        distinct.append(entry)
      }
      entries[cell] = distinct
    }
  }

  /// The predicates of a cell, ascending.
  func entries(at cell: LinkCell) -> [Entry] { entries[cell] ?? [] }
}
