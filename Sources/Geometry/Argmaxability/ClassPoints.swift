internal import Engine

/// The classes as points `a_i` of one space in which hidden vectors are directions z: class `i` scores `<a_i, z>`, up to
/// a positive factor. One search serves all cases:
///
/// - without biases `a_i = w_i` and `z = h`;
/// - with biases `a_i = (w_i, b_i)` and `z = s · (h, 1)` with s > 0;
/// - in a box `a_i = (B·w_i, b_i)` and `z = (h/B, 1)`, with elements from -1 to 1.
///
/// The points are scaled by powers of two to lie within ±1, vectors and biases separately where z allows it.
struct ClassPoints: Sendable {
  enum Form: Sendable, Hashable { case plain, lifted, boxed }

  let classes: OutputClasses
  let form: Form
  /// The vectors' dimension, and one more where biases decide.
  let width: Int
  private let box: Double
  private let vectorScale: Double
  private let biasScale: Double

  /// Longer elements are not looked at, box or not: scores and squares of what is proposed do not overflow, which would
  /// have the check decide in integers.
  static let longest = 0x1p400

  /// - Parameters:
  ///   - classes: the layer.
  ///   - box: hidden vectors have elements from -box to box; any if nil.
  ///   - isLifted: directions as if there were no box, of which those outside of the box stand for no hidden vector.
  init(_ classes: OutputClasses, box: Double?, isLifted: Bool = false) {
    let box = box.map { min($0, Self.longest) }
    self.classes = classes
    self.box = box ?? Self.longest
    let largest = classes.largestElement
    guard let bias = classes.decidingBias else {
      // Without biases a box does not matter: directions can be scaled to fit.
      form = .plain
      width = classes.dimension
      vectorScale = Self.scale(largest)
      biasScale = 0
      return
    }
    width = classes.dimension + 1
    let largestBias = bias.reduce(0) { max($0, abs($1)) }
    if let box, !isLifted {
      form = .boxed
      biasScale = Self.scale(max(largestBias, largest * box))
      vectorScale = biasScale * box
    } else {
      form = .lifted
      vectorScale = Self.scale(largest)
      biasScale = Self.scale(largestBias)
    }
  }

  /// Whether biases are small next to the vectors' scores in a box: a program in the box would lose them.
  static func losesBiases(_ classes: OutputClasses, box: Double?) -> Bool {
    guard let box = box.map({ min($0, longest) }), let bias = classes.decidingBias else { return false }
    return classes.largestElement * box > 0x1p12 * bias.reduce(0) { max($0, abs($1)) }
  }

  private static func scale(_ largest: Double) -> Double {
    largest > 0 ? Double(sign: .plus, exponent: -Int(largest.exponent) - 1, significand: 1) : 1
  }

  /// A class's point.
  private func point(_ index: Int) -> [Double] {
    let vector = classes.row(index).map { vectorScale * $0 }
    return width > classes.dimension ? vector + [biasScale * (classes.bias?[index] ?? 0)] : vector
  }

  /// A point as a device takes it.
  func floats(_ index: Int) -> [Float] { point(index).map { Float($0) } }

  /// `a_k - a_i`.
  func difference(_ index: Int, _ other: Int) -> [Double] { zip(point(index), point(other)).map { $0 - $1 } }

  /// The direction that stands for a hidden vector; its largest element is 1, or its last in a box.
  func direction(_ hidden: [Double]) -> [Double] {
    switch form {
    case .plain: Self.normalized(hidden)
    case .lifted: Self.normalized(hidden.map { $0 / vectorScale } + [1 / biasScale])
    case .boxed: hidden.map { $0 / box } + [1]
    }
  }

  /// The hidden vector that a direction stands for; nil if there is none.
  func hidden(_ direction: [Double]) -> [Double]? {
    switch form {
    case .plain:
      let limit = min(box, 1)
      let scaled = Self.normalized(direction)
      return scaled.contains { $0 != 0 } ? scaled.map { $0 * limit } : nil
    case .lifted:
      guard let last = direction.last, last > 0 else { return nil }
      let factor = vectorScale / (biasScale * last)
      let hidden = direction.dropLast().map { $0 * factor }
      return hidden.allSatisfy { $0.isFinite && abs($0) <= box } ? hidden : nil
    case .boxed:
      return direction.dropLast().map { min(max($0 * box, -box), box) }
    }
  }

  /// Scaled so that the largest element is 1; the same if all are 0.
  static func normalized(_ direction: [Double]) -> [Double] {
    let largest = direction.reduce(0) { max($0, abs($1)) }
    return largest > 0 && largest.isFinite ? direction.map { $0 / largest } : direction
  }
}

/// The points of all classes on a device, which says who leads in given directions.
struct ClassScores: Sendable {
  private let engine: Engine
  private let columns: RankedColumns

  init(_ points: ClassPoints, on engine: Engine) async throws(EngineError) {
    self.engine = engine
    let count = points.classes.count
    columns = try await engine.makeRankedColumns(
      Vectors((0..<count).flatMap { points.floats($0) }, dimension: points.width),
      terms: [Float](repeating: 0, count: count))
  }

  /// The class with the highest score in each direction.
  func leader(_ directions: [[Double]]) async throws(EngineError) -> [Int] {
    try await leaders(directions, count: 1).map { $0.first ?? 0 }
  }

  /// The classes with the highest scores in each direction, the highest first: a hint, in float32.
  func leaders(_ directions: [[Double]], count: Int) async throws(EngineError) -> [[Int]] {
    guard let width = directions.first?.count else { return [] }
    let rows = try Vectors(directions.flatMap { $0.map { Float($0) } }, dimension: width)
    let best = try await engine.topK(rows, among: columns, k: min(count, columns.count))
    return stride(from: 0, to: best.indices.count, by: best.k).map { start in
      // A column of -1 stands for a score that is no number.
      best.indices[start..<start + best.k].filter { $0 >= 0 }.map { Int($0) }
    }
  }
}
