/// The forms in which a device has a network's weights: what decides how much memory they take.
package struct WeightLayout: Sendable, Hashable {
  /// Columns of a panel.
  package let panelWidth: Int
  /// Whether convolutions that gain by it have transformed weights; see `Convolution.gainsByTransforms`.
  package let transformsConvolutions: Bool

  package init(panelWidth: Int, transformsConvolutions: Bool = false) {
    self.panelWidth = panelWidth
    self.transformsConvolutions = transformsConvolutions
  }

  /// Columns that `count` vectors take as panels, the empty ones of the last panel included.
  package func columns(_ count: Int) -> Int { (count + panelWidth - 1) / panelWidth * panelWidth }
}
