/// A point in a plot's own coordinates.
package struct PlotPoint: Hashable, Sendable {
  /// Along the horizontal axis, to the right.
  package var x: Double
  /// Along the vertical axis, upwards.
  package var y: Double

  /// A point.
  package init(x: Double, y: Double) {
    self.x = x
    self.y = y
  }

  /// Points from an array of shape `[N, 2]`.
  /// - Parameter pairs: x and y of each point in turn; an even number of values.
  /// - Returns: As many points as pairs.
  package static func points(_ pairs: [Float]) -> [PlotPoint] {
    precondition(pairs.count.isMultiple(of: 2))
    return stride(from: 0, to: pairs.count, by: 2)
      .map { PlotPoint(x: Double(pairs[$0]), y: Double(pairs[$0 + 1])) }
  }
}
