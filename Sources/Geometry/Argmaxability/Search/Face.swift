/// A face of the rivals' hull that a class lies on but for rounding, such as a class whose vector was set to the mean of a
/// few others'.
///
/// No direction puts such a class above the face's classes by more than a rounding, and a linear program cannot tell that
/// margin from none. So the program looks along the face: directions are orthogonal to it, which makes its classes one
/// point. Where the class lies next to that point, a unit vector of the remaining space says; it takes the place of the
/// face's rows, at the same scale as all others.
struct Face: Sendable {
  /// The classes of the face, by the multipliers of the program that led to it.
  let members: [Int]
  let weights: [Double]
  /// From the face to the class, of length 1.
  let normal: [Double]
  /// Orthonormal vectors along the face.
  private let basis: [[Double]]

  /// The face of the classes whose multipliers are not tiny; nil if none is, or all are. `rows` gives a class's `n_i`.
  init?(_ combination: Combination, rows: (Int) -> [Double]) {
    let largest = combination.weights.reduce(0, max)
    let kept = combination.classes.indices.filter { combination.weights[$0] > SearchTolerance.faceMember * largest }
    guard kept.count > 1, kept.count < combination.classes.count else { return nil }
    members = kept.map { combination.classes[$0] }
    weights = kept.map { combination.weights[$0] }
    let vectors = members.map(rows)
    var basis: [[Double]] = []
    for vector in vectors.dropFirst() {
      let edge = zip(vector, vectors[0]).map { $0 - $1 }
      let rest = Self.removing(basis, from: edge)
      let length = Self.length(rest)
      guard length > SearchTolerance.faceEdge * Self.length(edge) else { return nil }
      basis.append(rest.map { $0 / length })
    }
    let offset = Self.removing(basis, from: vectors[0])
    let length = Self.length(offset)
    guard length > 0 else { return nil }
    normal = offset.map { $0 / length }
    self.basis = basis
  }

  /// What is left of a vector besides its part along the face.
  func projecting(_ vector: [Double]) -> [Double] { Self.removing(basis, from: vector) }

  /// Gram and Schmidt's step, twice: once leaves too much rounding.
  private static func removing(_ basis: [[Double]], from vector: [Double]) -> [Double] {
    var rest = vector
    for _ in 0..<2 {
      for unit in basis {
        let part = zip(unit, rest).reduce(0) { $0 + $1.0 * $1.1 }
        for j in rest.indices { rest[j] -= part * unit[j] }
      }
    }
    return rest
  }

  private static func length(_ vector: [Double]) -> Double { vector.reduce(0) { $0 + $1 * $1 }.squareRoot() }
}
