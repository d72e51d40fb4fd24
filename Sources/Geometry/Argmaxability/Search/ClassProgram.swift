/// The linear program of one class over its active set S of rivals:
///
///     max t   subject to   <n_i, z> ≥ t for i in S,   n_i = (a_k - a_i) / ‖a_k - a_i‖,   |z| ≤ 1,
///
/// with `s ≥ t` for the last element of a lifted direction, and s = 1 in a box. It is always feasible and bounded, and t
/// never grows with S. A positive t may be a witness, and with t = 0 the multipliers a certificate.
///
/// An actor, so that the programs of many classes are solved at the same time.
actor ClassProgram {
  /// Where the program stands.
  struct Position: Sendable {
    let direction: [Double]
    /// The margin; an upper bound on what is possible, up to the solver's tolerance.
    let margin: Double
    /// The multipliers as weights of the rivals; nil if there are none.
    let combination: Combination?
  }

  let candidate: Candidate
  private let points: ClassPoints
  private let face: Face?
  private var program: LinearProgram
  /// Rivals that have been added, those without a row too.
  private var known: Set<Int>
  private var members: [Int] = []
  private var lengths: [Double] = []
  /// Rows that are no rival's.
  private let leadingRows: Int

  init(_ candidate: Candidate, _ points: ClassPoints, along face: Face? = nil) throws(LinearProgramError) {
    self.candidate = candidate
    self.points = points
    self.face = face
    known = Set(face?.members ?? [])
    var columns = [LinearProgram.Column](repeating: .init(lower: -1, upper: 1, cost: 0), count: points.width)
    let reach = 2 * Double(points.width).squareRoot()
    if points.form == .lifted { columns[points.width - 1].lower = 0 }
    if points.form == .boxed { columns[points.width - 1].lower = 1 }
    columns.append(.init(lower: points.form == .boxed ? -reach : 0, upper: reach, cost: -1))
    program = try LinearProgram(columns)

    var rows: [[Double]] = []
    if points.form == .lifted { rows.append([Double](repeating: 0, count: points.width - 1) + [1]) }
    if let face { rows = rows.map(face.projecting) + [face.normal] }
    leadingRows = rows.count
    try program.add(rows: rows.flatMap { $0 + [-1] })
  }

  /// The rivals that are not there yet.
  func unknown(_ rivals: some Sequence<Int> & Sendable) -> [Int] {
    rivals.filter { !known.contains($0) && !candidate.isSame($0, points.classes) }
  }

  /// Adds rivals that are not there yet.
  func add(_ rivals: [Int]) throws(LinearProgramError) {
    var rows: [Double] = []
    for rival in rivals {
      known.insert(rival)
      let difference = points.difference(candidate.index, rival)
      let row = face?.projecting(difference) ?? difference
      let length = Self.length(row)
      // A class in the plane of a face leaves nothing but rounding.
      guard length > SearchTolerance.offFace * Self.length(difference) else { continue }
      rows += row.map { $0 / length } + [-1]
      members.append(rival)
      lengths.append(length)
    }
    try program.add(rows: rows)
  }

  /// Solves the program, in at most `steps` steps.
  func solve(steps: Int32) -> Position {
    program.solve(steps: steps)
    let values = program.values
    let direction = Array(values.dropLast())
    return Position(
      direction: face?.projecting(direction) ?? direction, margin: values.last ?? 0, combination: combination())
  }

  /// The multipliers as weights of the classes themselves, not of unit vectors.
  private func combination() -> Combination? {
    var weights = program.multipliers.dropFirst(leadingRows).enumerated().map { $1 / lengths[$0] }
    let largest = weights.reduce(0, max)
    // What is not in the basis is 0 but for rounding.
    let kept = weights.indices.filter { weights[$0] > SearchTolerance.multiplier * largest && weights[$0].isFinite }
    weights = kept.map { weights[$0] }
    let total = weights.reduce(0, +)
    guard total > 0, total.isFinite else { return nil }
    var classes = kept.map { members[$0] }
    weights = weights.map { $0 / total }
    if let face {
      // The program along a face does not say what share of the whole the face is: nearly all of it. The rest gets a
      // trace, from which the refinement finds the exact weights.
      classes += face.members
      weights = weights.map { SearchTolerance.traceOffFace * $0 } + face.weights
    }
    return Combination(classes: classes, weights: weights)
  }

  /// The same class's program along the face that this one's multipliers name; nil if there is none.
  func alongFace() throws(LinearProgramError) -> ClassProgram? {
    guard face == nil, points.form != .boxed, let combination = combination() else { return nil }
    let face = Face(combination) { member in
      let difference = points.difference(candidate.index, member)
      let length = Self.length(difference)
      return difference.map { $0 / length }
    }
    guard let face else { return nil }
    return try ClassProgram(candidate, points, along: face)
  }

  /// All rivals so far.
  var rivals: [Int] { members }

  private static func length(_ vector: [Double]) -> Double { vector.reduce(0) { $0 + $1 * $1 }.squareRoot() }
}
