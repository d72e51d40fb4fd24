/// What makes vectors near to each other: the smaller the distance, the nearer.
public enum Metric: String, Sendable, Hashable, CaseIterable {
  /// `|x - y|`
  case euclidean
  /// `|x - y|²`
  case squaredEuclidean = "squared-euclidean"
  /// `1 - <x, y> / (|x| |y|)`; vectors of zeros have none. Computed to some thirty digits and rounded once, so that equal
  /// cosines come out equal; 0 for directions that differ by less than (d + 8) 2⁻⁵².
  case cosine
  /// `-<x, y>`: the greatest product is the nearest. A vector need not be nearest to itself.
  case innerProduct = "inner-product"

  /// Whether a distance is `|x - y|` or grows with it.
  var isEuclidean: Bool { self == .euclidean || self == .squaredEuclidean }
}
