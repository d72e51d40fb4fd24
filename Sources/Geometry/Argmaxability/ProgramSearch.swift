import Engine

extension ArgmaxSearch {
  /// Decides the remaining classes by programs over a few rivals each, in rounds:
  ///
  /// 1. classes that were waiting enter, as many as memory allows, each with the rivals that lead where it was looked for
  ///    last;
  /// 2. every program is solved, and where no margin is left its multipliers may be a certificate;
  /// 3. the device names the classes that lead in the directions found, and one that leads itself has a witness;
  /// 4. a program with neither takes up the leaders that it does not know. If it knows them all another method takes over
  ///    (``ClassProgram/Method``); after the last, the class is given up.
  ///
  /// A class's programs depend on no other class: the proofs are the same however many are solved at a time.
  ///
  /// - Returns: the classes that were given up.
  func solvePrograms(_ open: [Candidate], report: VerifiedReport) async throws -> [UndecidedClass] {
    var waiting = open[...]
    var left: [UndecidedClass] = []
    var programs: [ClassProgram] = []
    while !waiting.isEmpty || !programs.isEmpty {
      try Task.checkCancellation()
      var settled: [VerifiedProof] = []
      let entering = Array(waiting.prefix(max(0, programLimit - programs.count)))
      waiting = waiting.dropFirst(entering.count)
      if !entering.isEmpty { programs += try await start(entering, &left) }

      let steps = await step(programs)
      settled += steps.compactMap(\.proof)
      let open = steps.filter { $0.proof == nil }
      programs = []
      for (step, outcome) in zip(open, try await outcomes(open)) {
        switch outcome {
        case .proven(let proof): settled.append(proof)
        case .beaten(let rivals):
          if let next = await program(after: step, rivals) {
            programs.append(next)
          } else {
            left.append(try undecided(step.program.candidate, step.solution.combination))
          }
        }
      }
      if !settled.isEmpty { try await report(settled, .linearPrograms) }
    }
    return left
  }

  /// Rivals that join a program in a round.
  private var rivalCount: Int { min(classes.count, max(16, min(points.width / 3, 512))) }

  /// Programs at a time: within about half a gigabyte.
  private var programLimit: Int {
    let rows = min(classes.count, 2 * points.width)
    return programsAtATime ?? max(4, min(64, (1 << 29) / (40 * rows * (points.width + 1))))
  }

  /// A program that was solved, and the proof that followed from it, if any.
  private struct Step: Sendable {
    let program: ClassProgram
    let solution: ClassProgram.Solution
    let proof: VerifiedProof?

    /// The class, looked for where the program points.
    var candidate: Candidate {
      var candidate = program.candidate
      candidate.direction = solution.direction
      return candidate
    }
  }

  /// Programs whose first rivals are those that lead in the directions looked at last.
  private func start(_ candidates: [Candidate], _ left: inout [UndecidedClass]) async throws -> [ClassProgram] {
    let leaders = try await scores.leaders(candidates.map(\.direction), count: rivalCount)
    var programs: [ClassProgram] = []
    for (candidate, leaders) in zip(candidates, leaders) {
      if let program = try? ClassProgram(candidate, points, by: .first(points)), await program.take(leaders) {
        programs.append(program)
      } else {
        left.append(try undecided(candidate, nil))
      }
    }
    return programs
  }

  /// Solves all programs, as many at the same time as there are processors, and checks certificates where no margin is
  /// left.
  private func step(_ programs: [ClassProgram]) async -> [Step] {
    await withTaskGroup(of: (Int, Step).self) { group in
      for (place, program) in programs.enumerated() {
        let refinement = CertificateRefinement(checker)
        group.addTask {
          let solution = await program.solve(steps: solverSteps)
          let candidate = program.candidate
          guard solution.isWithoutMargin, let combination = solution.combination,
            let proof = refinement.proven(combination, candidate)
          else { return (place, Step(program: program, solution: solution, proof: nil)) }
          return (place, Step(program: program, solution: solution, proof: proof))
        }
      }
      var steps: [Int: Step] = [:]
      for await (place, step) in group { steps[place] = step }
      return programs.indices.compactMap { steps[$0] }
    }
  }

  /// For each program the rivals it does not know that lead in its direction, as far as the device can tell; if there are
  /// none, those that the checker finds.
  private func outcomes(_ steps: [Step]) async throws -> [WitnessOutcome] {
    let directed = steps.indices.filter { steps[$0].solution.direction.contains { $0 != 0 } }
    let leaders = try await scores.leaders(directed.map { steps[$0].solution.direction }, count: rivalCount)
    var outcomes = [WitnessOutcome](repeating: .beaten(by: []), count: steps.count)
    var leading: [Int] = []
    for (place, leaders) in zip(directed, leaders) {
      let candidate = steps[place].program.candidate
      let ahead = Array(leaders.prefix { !candidate.isSame($0, classes) })
      let rivals = await steps[place].program.unknown(ahead)
      if rivals.isEmpty { leading.append(place) } else { outcomes[place] = .beaten(by: rivals) }
    }
    for (place, outcome) in zip(leading, await check(leading.map { steps[$0].candidate })) {
      outcomes[place] = outcome
      guard case .beaten(let by) = outcome else { continue }
      outcomes[place] = .beaten(by: Array(await steps[place].program.unknown(by).prefix(rivalCount)))
    }
    return outcomes
  }

  /// A class's next program: with more rivals, or if there are none by another method; nil if it is given up.
  private func program(after step: Step, _ rivals: [Int]) async -> ClassProgram? {
    if !rivals.isEmpty { return await step.program.take(rivals) ? step.program : nil }
    guard let next = try? await step.program.successor() else { return nil }
    return await next.take(await next.unknown(step.program.rivals)) ? next : nil
  }

  /// An undecided class with a bound, from the program's weights or else from one other class alone.
  /// - Throws: ``GeometryError`` if the checker refuses even that, which would be a fault of the search.
  private func undecided(_ candidate: Candidate, _ combination: Combination?) throws -> UndecidedClass {
    let check = CertificateCheck(checker)
    let other = Combination(classes: [candidate.index == 0 ? 1 : 0], weights: [1])
    for combination in [combination, other].compactMap({ $0 }) {
      // Where no bound is a finite number the largest stands for none.
      let bound = check.bound(combination, of: candidate.index) ?? .greatestFiniteMagnitude
      if let proof = checker.verified(candidate.undecided(combination, bound: bound)) {
        return UndecidedClass(candidate: candidate, proof: proof)
      }
    }
    throw GeometryError("class \(candidate.index) has neither a proof nor a bound")
  }
}

extension ClassProgram {
  /// Adds rivals.
  /// - Returns: whether there was room for them.
  fileprivate func take(_ rivals: [Int]) -> Bool { (try? add(unknown(rivals))) != nil }
}

/// The program of one class over its active set S of rivals: a direction z with
///
///     <n_i, z> > 0 for i in S,   n_i = (a_k - a_i) / ‖a_k - a_i‖,
///
/// and `s > 0` for the last element of a lifted direction, or s = 1 in a box; or else multipliers with which the `n_i`
/// combine to 0. A direction may be a witness, and multipliers a certificate.
///
/// An actor, so that the programs of many classes are solved at the same time.
actor ClassProgram {
  /// How the program is solved.
  enum Method: Sendable {
    /// By the point of the hull of the `n_i` that is nearest to 0. Multipliers have nearly all digits.
    case nearestPoint
    /// By a linear program, for boxes, and where the nearest point is lost in rounding.
    case linear
    /// By a linear program along a face that the class lies on up to rounding.
    case alongFace(Face)

    static func first(_ points: ClassPoints) -> Method { points.form == .boxed ? .linear : .nearestPoint }
  }

  /// A solution of the program.
  struct Solution: Sendable {
    let direction: [Double]
    /// Whether no direction puts the class above all rivals, up to the solver's tolerance.
    let isWithoutMargin: Bool
    /// The multipliers as weights of the rivals; nil if there are none.
    let combination: Combination?
  }

  let candidate: Candidate
  private let points: ClassPoints
  private let method: Method
  private let solver: any ProgramSolver
  /// Rivals that have been added, including those without a row.
  private var known: Set<Int>
  private var members: [Int] = []
  private var lengths: [Double] = []
  /// Rows that are no rival's.
  private let leadingRows: Int
  private var multipliers: [Double] = []

  private var face: Face? { if case .alongFace(let face) = method { face } else { nil } }

  init(_ candidate: Candidate, _ points: ClassPoints, by method: Method) throws(LinearProgramError) {
    self.candidate = candidate
    self.points = points
    self.method = method
    var rows: [[Double]] = []
    if points.form == .lifted { rows.append([Double](repeating: 0, count: points.width - 1) + [1]) }
    switch method {
    case .nearestPoint:
      known = []
      solver = NearestPoint(width: points.width)
    case .linear:
      known = []
      solver = try MarginProgram(points)
    case .alongFace(let face):
      known = Set(face.members)
      solver = try MarginProgram(points)
      rows = rows.map(face.projecting) + [face.normal]
    }
    leadingRows = rows.count
    try solver.add(rows: rows.flatMap { $0 })
  }

  /// The rivals that are not there yet.
  func unknown(_ rivals: some Sequence<Int> & Sendable) -> [Int] {
    rivals.filter { !known.contains($0) && !candidate.isSame($0, points.classes) }
  }

  /// Adds rivals that are not there yet.
  func add(_ rivals: [Int]) throws(LinearProgramError) {
    let face = face
    var rows: [Double] = []
    for rival in rivals {
      known.insert(rival)
      let difference = points.difference(candidate.index, rival)
      let row = face?.projecting(difference) ?? difference
      let length = euclideanLength(row)
      // Of a class in the plane of a face only rounding error is left.
      guard length > SearchTolerance.offFace * euclideanLength(difference) else { continue }
      rows += row.map { $0 / length }
      members.append(rival)
      lengths.append(length)
    }
    try solver.add(rows: rows)
  }

  /// Solves the program, in at most `steps` steps.
  func solve(steps: Int32) -> Solution {
    let solution = solver.solve(steps: steps)
    multipliers = solution.multipliers
    return Solution(
      direction: face?.projecting(solution.direction) ?? solution.direction,
      isWithoutMargin: solution.isWithoutMargin, combination: combination())
  }

  /// The multipliers as weights of the classes themselves, not of unit vectors.
  private func combination() -> Combination? {
    var weights = multipliers.dropFirst(leadingRows).enumerated().map { $1 / lengths[$0] }
    let largest = weights.reduce(0, max)
    // What is not in the basis is 0 up to rounding.
    let kept = weights.indices.filter { weights[$0] > SearchTolerance.multiplier * largest && weights[$0].isFinite }
    weights = kept.map { weights[$0] }
    let total = weights.reduce(0, +)
    guard total > 0, total.isFinite else { return nil }
    var classes = kept.map { members[$0] }
    weights = weights.map { $0 / total }
    if let face {
      // The program along a face does not say what share the face has: nearly all. The rest gets a small share,
      // from which the refinement finds the exact weights.
      classes += face.members
      weights = weights.map { SearchTolerance.traceOffFace * $0 } + face.weights
    }
    return Combination(classes: classes, weights: weights)
  }

  /// The same class's program by the next method, without rivals: after a linear program along the face that its
  /// multipliers name. Nil if there is none.
  func successor() throws(LinearProgramError) -> ClassProgram? {
    if case .nearestPoint = method { return try ClassProgram(candidate, points, by: .linear) }
    guard face == nil, points.form != .boxed, let combination = combination() else { return nil }
    let face = Face(combination) { member in
      let difference = points.difference(candidate.index, member)
      let length = euclideanLength(difference)
      return difference.map { $0 / length }
    }
    guard let face else { return nil }
    return try ClassProgram(candidate, points, by: .alongFace(face))
  }

  /// All rivals so far.
  var rivals: [Int] { members }
}

/// What solves a ``ClassProgram``. Its numbers are only candidates, which a ``ProofChecker`` checks.
protocol ProgramSolver: AnyObject {
  /// Adds rows `n_i`, one after the other.
  /// - Throws: ``LinearProgramError`` if a number is not finite.
  func add(rows: [Double]) throws(LinearProgramError)

  /// Solves the program for all rows so far, from the last solution on, in at most `steps` steps.
  func solve(steps: Int32) -> ProgramSolution
}

/// A solution of a program by one of its solvers.
struct ProgramSolution {
  /// Its largest element is 1 at most; all are 0 if no direction is known.
  let direction: [Double]
  let isWithoutMargin: Bool
  /// One a row.
  let multipliers: [Double]
}

/// The linear program with the largest margin t:
///
///     max t   subject to   <n_i, z> ≥ t,   |z| ≤ 1,
///
/// with `s ≥ 0`, or s = 1 in a box. It is always feasible and bounded, and t never grows with rows.
private final class MarginProgram: ProgramSolver {
  private var program: LinearProgram
  private let width: Int

  init(_ points: ClassPoints) throws(LinearProgramError) {
    var columns = [LinearProgram.Column](repeating: .init(lower: -1, upper: 1, cost: 0), count: points.width)
    let reach = 2 * Double(points.width).squareRoot()
    if points.form == .lifted { columns[points.width - 1].lower = 0 }
    if points.form == .boxed { columns[points.width - 1].lower = 1 }
    columns.append(.init(lower: points.form == .boxed ? -reach : 0, upper: reach, cost: -1))
    program = try LinearProgram(columns)
    width = points.width
  }

  func add(rows: [Double]) throws(LinearProgramError) {
    var extended: [Double] = []
    extended.reserveCapacity(rows.count / width * (width + 1))
    for start in stride(from: 0, to: rows.count, by: width) { extended += rows[start..<start + width] + [-1] }
    try program.add(rows: extended)
  }

  func solve(steps: Int32) -> ProgramSolution {
    program.solve(steps: steps)
    let values = program.values
    return ProgramSolution(
      direction: Array(values.dropLast()), isWithoutMargin: (values.last ?? 0) <= SearchTolerance.margin,
      multipliers: program.multipliers)
  }
}

/// A face of the rivals' hull that a class lies on up to rounding, such as a class whose vector was set to the mean of a
/// few others'.
///
/// No direction puts such a class above the face's classes by more than a rounding error, and a linear program cannot tell
/// that margin from 0. So the program looks along the face: directions are orthogonal to it, which makes its classes one
/// point. A unit vector of the remaining space says where the class lies relative to that point; it replaces the face's
/// rows, at the same scale as all others.
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
      let length = euclideanLength(rest)
      guard length > SearchTolerance.faceEdge * euclideanLength(edge) else { return nil }
      basis.append(rest.map { $0 / length })
    }
    let offset = Self.removing(basis, from: vectors[0])
    let length = euclideanLength(offset)
    guard length > 0 else { return nil }
    normal = offset.map { $0 / length }
    self.basis = basis
  }

  /// What is left of a vector besides its part along the face.
  func projecting(_ vector: [Double]) -> [Double] { Self.removing(basis, from: vector) }

  /// Gram and Schmidt's step, twice: once is too inexact.
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
}

/// Turns a program's multipliers into a combination that can be proven: affinely independent classes, with weights that
/// are right to the last digits.
struct CertificateRefinement {
  private let checker: ProofChecker

  init(_ checker: ProofChecker) { self.checker = checker }

  /// Drops classes until the rest are affinely independent and their exact weights positive, and computes these anew.
  /// - Returns: a proof that the checker accepts; nil if none was found.
  func proven(_ combination: Combination, _ candidate: Candidate) -> VerifiedProof? {
    let index = candidate.index
    // A nearest point's multipliers may already be a proof, and so may others in a box, where no equation need hold.
    if let proof = checker.verified(candidate.proof(combination)) { return proof }
    var refined = combination
    for _ in 0..<8 {
      let equations = AffineEquations(checker.classes, refined, of: index)
      guard let system = equations.squareSystem() else {
        guard let smaller = reduced(refined, of: index) else { return nil }
        refined = smaller
        continue
      }
      let solution = system.enclosure(near: refined.weights)
      // A class whose weight is 0 up to rounding is left out.
      let limit = max(solution.radius, SearchTolerance.weight)
      let kept = refined.classes.indices.filter { solution.values[$0] > limit }
      guard !kept.isEmpty else { return nil }
      refined = Combination(classes: kept.map { refined.classes[$0] }, weights: kept.map { solution.values[$0] })
      guard kept.count == solution.values.count else { continue }
      return checker.verified(candidate.proof(refined))
    }
    return nil
  }

  /// Carathéodory's step: moves the weights along an affine dependency of the classes, the way that raises the
  /// combination's bias, until one of them is 0.
  private func reduced(_ combination: Combination, of index: Int) -> Combination? {
    let classes = checker.classes
    guard let dependency = AffineEquations(classes, combination, of: index).dependency() else { return nil }
    let rise = zip(combination.classes, dependency).reduce(0) { $0 + (classes.bias?[$1.0] ?? 0) * $1.1 }
    // Without a rise any way is as good, if it lowers a weight.
    let isTurned = rise < 0 || (rise == 0 && !dependency.contains { $0 < 0 })
    let way = isTurned ? dependency.map { -$0 } : dependency
    var (length, last) = (Double.infinity, -1)
    for (place, step) in way.enumerated() where step < 0 {
      let possible = combination.weights[place] / -step
      if possible < length { (length, last) = (possible, place) }
    }
    guard last >= 0 else { return nil }
    let weights = zip(combination.weights, way).map { $0 + length * $1 }
    let kept = weights.indices.filter { $0 != last && weights[$0] > 0 }
    let total = kept.reduce(0) { $0 + weights[$1] }
    guard total > 0 else { return nil }
    return Combination(classes: kept.map { combination.classes[$0] }, weights: kept.map { weights[$0] / total })
  }
}

extension AffineEquations {
  /// Factors μ, not all 0, with `Σ μ_i = 0` and `Σ μ_i w_i = 0` up to rounding; nil if there are none.
  fileprivate func dependency() -> [Double]? {
    let size = members.count
    var work = (0...dimension).map { Array(self.row($0).dropLast()) }
    let largest = work.reduce(0) { $1.reduce($0) { max($0, abs($1)) } }
    var pivotColumns: [Int] = []
    for column in 0..<size {
      let step = pivotColumns.count
      let best = (step..<work.count).max { abs(work[$0][column]) < abs(work[$1][column]) }
      guard let best, abs(work[best][column]) > SearchTolerance.pivot * largest else {
        // This column depends on those before it: back substitution says how.
        var factors = [Double](repeating: 0, count: size)
        factors[column] = 1
        for row in (0..<step).reversed() {
          var sum = 0.0
          for other in pivotColumns[row] + 1..<column + 1 { sum += work[row][other] * factors[other] }
          factors[pivotColumns[row]] = -sum / work[row][pivotColumns[row]]
        }
        return factors
      }
      work.swapAt(step, best)
      let pivot = work[step]
      for row in step + 1..<work.count {
        let factor = work[row][column] / pivot[column]
        guard factor != 0 else { continue }
        for other in column..<size { work[row][other] -= factor * pivot[other] }
      }
      pivotColumns.append(column)
    }
    return nil
  }
}

/// `‖x‖`
private func euclideanLength(_ vector: [Double]) -> Double { vector.reduce(0) { $0 + $1 * $1 }.squareRoot() }
