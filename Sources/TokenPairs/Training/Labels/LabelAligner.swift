/// Brings the labels of texts to the cells of token-pair scores.
///
/// A long text is cut into the same overlapping windows as in extraction, and a label belongs to every window that holds
/// it whole. A label that tokens cannot bear out is counted and left out.
package struct LabelAligner: Sendable {
  private let reader: WindowReader
  private let inventory: LabelInventory

  init(reader: WindowReader, inventory: LabelInventory) {
    self.reader = reader
    self.inventory = inventory
  }

  /// The windows of all texts, in the order of the texts, and what became of the labels.
  package func windows(
    of documents: [TrainingDocument]
  ) -> (windows: [LabelledWindow], report: AlignmentReport) {
    var windows: [LabelledWindow] = []
    var report = AlignmentReport()
    for (index, document) in documents.enumerated() {
      windows += self.windows(of: document, index: index, &report)
    }
    return (windows, report)
  }

  /// The windows of one text.
  private func windows(
    of document: TrainingDocument, index: Int, _ report: inout AlignmentReport
  ) -> [LabelledWindow] {
    let text = reader.read(document.text)
    var placing = LabelPlacing(text, inventory, report)
    placing.add(document)
    report = placing.report
    return zip(text.windows, placing.windows).map { LabelledWindow(ids: $0, labels: $1.labels, document: index) }
  }
}
