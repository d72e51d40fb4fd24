import Geometry

/// Neighbours by all distances, in Double: the formulas as they stand in textbooks, and a sort.
struct BruteForce {
  let dimension: Int
  let queries: [Float]
  let reference: [Float]
  var isOfItself: Bool

  /// Of a set itself.
  init(_ vectors: [Float], dimension: Int) {
    (queries, reference, self.dimension, isOfItself) = (vectors, vectors, dimension, true)
  }

  init(_ queries: [Float], among reference: [Float], dimension: Int) {
    (self.queries, self.reference, self.dimension, isOfItself) = (queries, reference, dimension, false)
  }

  var queryCount: Int { queries.count / dimension }
  var count: Int { reference.count / dimension }

  func distance(_ metric: Metric, _ i: Int, _ j: Int) -> Double {
    var (square, product, mine, theirs) = (0.0, 0.0, 0.0, 0.0)
    for c in 0..<dimension {
      let (x, y) = (Double(queries[i * dimension + c]), Double(reference[j * dimension + c]))
      square += (x - y) * (x - y)
      product += x * y
      mine += x * x
      theirs += y * y
    }
    return switch metric {
    case .euclidean: square.squareRoot()
    case .squaredEuclidean: square
    case .innerProduct: -product
    case .cosine: 1 - product / (mine.squareRoot() * theirs.squareRoot())
    }
  }

  /// The k nearest of each query, by distance, then index.
  func neighbours(_ k: Int, _ metric: Metric) -> (indices: [Int32], distances: [Double]) {
    var (indices, distances): ([Int32], [Double]) = ([], [])
    for i in 0..<queryCount {
      var all: [(distance: Double, index: Int32)] = []
      for j in 0..<count where !(isOfItself && i == j) { all.append((distance(metric, i, j), Int32(j))) }
      all.sort { $0 < $1 }
      indices += all.prefix(k).map(\.index)
      distances += all.prefix(k).map(\.distance)
    }
    return (indices, distances)
  }
}
