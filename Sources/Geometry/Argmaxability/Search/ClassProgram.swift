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
    let status: LinearProgram.Status
  }

  let pursuit: Pursuit
  private let points: ClassPoints
  private var program: LinearProgram
  private var members: [Int] = []
  private var lengths: [Double] = []
  private let leadingRows: Int

  init(_ pursuit: Pursuit, _ points: ClassPoints) throws(LinearProgramError) {
    self.pursuit = pursuit
    self.points = points
    var columns = [LinearProgram.Column](repeating: .init(lower: -1, upper: 1, cost: 0), count: points.width)
    let reach = 2 * Double(points.width).squareRoot()
    switch points.form {
    case .plain: break
    case .lifted: columns[points.width - 1].lower = 0
    case .boxed: columns[points.width - 1].lower = 1
    }
    columns.append(.init(lower: points.form == .boxed ? -reach : 0, upper: reach, cost: -1))
    program = try LinearProgram(columns)
    leadingRows = points.form == .lifted ? 1 : 0
    guard leadingRows == 1 else { return }
    var row = [Double](repeating: 0, count: points.width + 1)
    row[points.width - 1] = 1
    row[points.width] = -1
    try program.add(rows: row)
  }

  /// Adds the rivals that are not there yet.
  /// - Returns: how many those are.
  func add(_ rivals: [Int]) throws(LinearProgramError) -> Int {
    var rows: [Double] = []
    let known = Set(members)
    var count = 0
    for rival in rivals where !known.contains(rival) && !pursuit.isSame(rival, points.classes) {
      let difference = points.difference(pursuit.index, rival)
      let length = difference.reduce(0) { $0 + $1 * $1 }.squareRoot()
      guard length > 0 else { continue }
      rows += difference.map { $0 / length } + [-1]
      members.append(rival)
      lengths.append(length)
      count += 1
    }
    try program.add(rows: rows)
    return count
  }

  func solve() -> Position {
    let status = program.solve()
    let values = program.values
    var weights = program.multipliers.dropFirst(leadingRows).enumerated().map { $1 / lengths[$0] }
    let largest = weights.reduce(0, max)
    // What is not in the basis is 0 but for rounding.
    let kept = weights.indices.filter { weights[$0] > 1e-13 * largest && weights[$0].isFinite }
    weights = kept.map { weights[$0] }
    let total = weights.reduce(0, +)
    let isUsable = total > 0 && total.isFinite
    return Position(
      direction: Array(values.dropLast()), margin: values.last ?? 0,
      combination: isUsable
        ? Combination(classes: kept.map { members[$0] }, weights: weights.map { $0 / total }) : nil,
      status: status)
  }
}
