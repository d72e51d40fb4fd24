/// The label of one cell of a head's scores.
package struct PairLabel: Sendable, Hashable {
  /// The score matrix: a label's index, or a link's.
  package var type: Int
  /// The cell's row among the window's tokens, CLS being 0.
  package var row: Int
  /// The cell's column, counted likewise.
  package var column: Int
  /// How true it is, from 0 to 1; 1 for what is known.
  package var value: Float

  package init(type: Int, row: Int, column: Int, value: Float = 1) {
    self.type = type
    self.row = row
    self.column = column
    self.value = value
  }

  /// Orders labels by their cells: type, row, column.
  package static func precedes(_ a: PairLabel, _ b: PairLabel) -> Bool {
    (a.type, a.row, a.column) < (b.type, b.row, b.column)
  }
}

/// What is true of a window, for each head of a model: each cell once, in the order of the cells.
package struct WindowLabels: Sendable, Hashable {
  /// A type a label, a row a span's first token, a column its last.
  package var spans: [PairLabel]
  /// A type a link: the first tokens of two linked spans. Empty for entities.
  package var head: [PairLabel]
  /// A type a link: the last tokens of two linked spans. Empty for entities.
  package var tail: [PairLabel]

  package init(spans: [PairLabel] = [], head: [PairLabel] = [], tail: [PairLabel] = []) {
    self.spans = spans
    self.head = head
    self.tail = tail
  }

  /// The lists in the order of a model's heads: spans, then head and tail links where there are such heads.
  package func lists(links: Bool) -> [[PairLabel]] { links ? [spans, head, tail] : [spans] }
}

/// A window of a text and what is true of it.
package struct LabelledWindow: Sendable, Hashable {
  /// Token ids, framed by CLS and SEP.
  package let ids: [Int32]
  package let labels: WindowLabels
  /// The text's number among the documents.
  package let document: Int

  package init(ids: [Int32], labels: WindowLabels, document: Int) {
    self.ids = ids
    self.labels = labels
    self.document = document
  }
}
