/// What one step of a training learns from.
package struct TrainingBatch: Sendable, Hashable {
  /// A window of the training data, or a mixture of two.
  package struct Window: Sendable, Hashable {
    /// The window's number among the training data's windows.
    package var index: Int
    /// The window it is mixed with; nil if it is not.
    package var partner: Int?
    /// The window's share `w` of the mixture, its partner's being `1 - w`: features and labels both are
    /// `w · a + (1 - w) · b`. 1 without a partner.
    package var weight: Float
    /// Tokens: those of the longer of the two. Rows that the shorter one lacks are zero.
    package var length: Int

    package init(index: Int, partner: Int? = nil, weight: Float = 1, length: Int) {
      self.index = index
      self.partner = partner
      self.weight = weight
      self.length = length
    }
  }

  package var windows: [Window]
  /// For each head, in the order of the model's heads, what is true of the windows.
  package var labels: [HeadLabels]

  package init(windows: [Window], labels: [HeadLabels]) {
    self.windows = windows
    self.labels = labels
  }

  /// Tokens of all windows.
  package var tokens: Int { windows.reduce(0) { $0 + $1.length } }
}

/// A head's labels for the windows of a batch, mixed and smoothed.
package struct HeadLabels: Sendable, Hashable {
  /// For each window, the cells that are labelled, each once, sorted by type, row and column.
  package var cells: [[PairLabel]]
  /// For each type, the label of all cells that are not listed: 0 without label smoothing.
  package var background: [Float]

  package init(cells: [[PairLabel]], background: [Float]) {
    self.cells = cells
    self.background = background
  }
}
