public import Engine

/// Decides for each class of a layer whether any hidden vector makes it the one with the highest score.
///
/// It first tries hidden vectors that are likely to: a class's own vector, the same without the mean, and that in the metric of
/// the vectors' covariance. Then, for the remaining classes, reflections at the rivals that score higher; then
/// linear programs over a growing set of rivals. The device finds the rivals, for many classes at once.
///
/// The search only proposes proofs. Reported proofs have passed a ``ProofChecker``; other classes are undecided.
public struct ArgmaxSearch: Sendable {
  /// Receives proofs as they are found, each class once, and the stage that found them.
  public typealias Report = (_ proofs: [ClassProof], _ stage: SearchStage) async throws -> Void

  /// Checks the proofs that the search finds.
  public let checker: ProofChecker

  /// How long the solver may take over one linear program, in steps of the simplex method, before it gives up.
  var simplexSteps: Int32 = 200_000

  let points: ClassPoints
  let scores: ClassScores
  let duplicates: DuplicateClasses
  private let engine: Engine
  var classes: OutputClasses { checker.classes }

  /// Prepares a search.
  /// - Parameters:
  ///   - classes: the layer.
  ///   - box: hidden vectors have elements from -box to box; any if nil.
  ///   - engine: where scores are computed.
  /// - Throws: ``GeometryError`` if the box is not a positive number; `EngineError` if the device has no room.
  public init(_ classes: OutputClasses, box: Double? = nil, on engine: Engine) async throws {
    let duplicates = try await DuplicateClasses(classes)
    let checker = try ProofChecker(classes, box: box)
    try await self.init(checker, ClassPoints(classes, box: box), duplicates, engine)
  }

  private init(
    _ checker: ProofChecker, _ points: ClassPoints, _ duplicates: DuplicateClasses, _ engine: Engine
  ) async throws {
    self.checker = checker
    self.points = points
    self.duplicates = duplicates
    self.engine = engine
    scores = try await ClassScores(points, on: engine)
  }

  /// Decides classes, all of them if none are named.
  /// - Parameters:
  ///   - chosen: the classes to decide, in any order, each once; all of them if nil.
  ///   - report: is given proofs as they are found, in no particular order.
  /// - Throws: what `report` throws; `EngineError` if the device fails; `CancellationError`.
  public func run(_ chosen: [Int]? = nil, report: Report) async throws {
    guard points.form == .boxed, ClassPoints.losesBiases(classes, box: checker.box) else {
      return try await decide(chosen, report: report)
    }
    // As if there were no box first: nearly all hidden vectors found lie in it, and certificates hold in any.
    var lifted = try await ArgmaxSearch(
      checker, ClassPoints(classes, box: checker.box, isLifted: true), duplicates, engine)
    lifted.simplexSteps = simplexSteps
    var open: [Int] = []
    try await lifted.decide(chosen) { proofs, stage in
      let decided = proofs.filter { !isOpen($0) }
      open += proofs.filter(isOpen).map(\.index)
      if !decided.isEmpty { try await report(decided, stage) }
    }
    if !open.isEmpty { try await decide(open, report: report) }
  }

  /// Whether a proof does not decide its class, or those that are tied with it.
  private func isOpen(_ proof: ClassProof) -> Bool {
    if case .tied(_, .unsaid) = proof.claim { return duplicates.isFirstOfTie(proof.index) }
    return proof.verdict == .undecided
  }

  private func decide(_ chosen: [Int]?, report: Report) async throws {
    var open: [Candidate] = []
    var settled: [ClassProof] = []
    let nowhere = points.direction([Double](repeating: 0, count: classes.dimension))
    for index in chosen ?? Array(0..<classes.count) {
      if let other = duplicates.above[index] {
        settled.append(
          ClassProof(index: index, claim: .unargmaxable(Combination(classes: [other], weights: [1]))))
      } else if let other = duplicates.ties[index], !duplicates.isFirstOfTie(index) {
        settled.append(ClassProof(index: index, claim: .tied(with: other, .unsaid)))
      } else {
        open.append(Candidate(index: index, duplicate: duplicates.ties[index], direction: nowhere))
      }
    }
    if !settled.isEmpty { try await report(settled, .duplicates) }
    try await probe(&open, report: report)
    try await reflect(&open, report: report)
    try await solvePrograms(open, report: report)
  }
}

/// The part of an ``ArgmaxSearch`` that settles a class, the cheapest first.
public enum SearchStage: String, Sendable, Hashable, CaseIterable {
  /// Another class has the same vector.
  case duplicates
  /// The class's own vector as hidden vector.
  case vector
  /// The same without the mean of all.
  case centredVector = "centred vector"
  /// That in the metric of the vectors' covariance.
  case whitenedVector = "whitened vector"
  /// Reflections at the rivals in the way.
  case reflections
  /// Linear programs; what stays undecided ends here too.
  case linearPrograms = "linear programs"
}

/// Below which the search takes a number for 0. Proofs do not depend on these: they only guide what is tried.
enum SearchTolerance {
  /// A program's margin up to which its multipliers are looked at as a certificate.
  static let margin = 1e-6
  /// A multiplier next to the largest: smaller ones come from rounding, and are not in the basis.
  static let multiplier = 1e-13
  /// A weight: smaller ones are taken for 0.
  static let weight = 1e-13
  /// A pivot next to the largest element: below it a column depends on those before it.
  static let pivot = 1e-11
  /// A multiplier next to the largest, where a face is looked for: smaller ones are classes off the face.
  static let faceMember = 1e-4
  /// What is left of an edge of a face besides the edges before it, next to the edge: below it, it depends on them.
  static let faceEdge = 1e-7
  /// What is left of a difference besides its part along a face, next to the difference: below it, it is in the face.
  static let offFace = 1e-9
  /// The share that classes off a face start with; the refinement finds the exact weights.
  static let traceOffFace = 1e-8
}

/// A class that is still to be decided, and where to look next.
struct Candidate: Sendable {
  let index: Int
  /// Another class with the same numbers: this one is then the first of them and stands for all. Nil if there is none.
  let duplicate: Int?
  /// The direction to try next, or the last one tried.
  var direction: [Double]

  func proof(_ direction: Direction) -> ClassProof {
    let claim: ClassProof.Claim = duplicate.map { .tied(with: $0, .above(direction)) } ?? .argmaxable(direction)
    return ClassProof(index: index, claim: claim)
  }

  func proof(_ combination: Combination) -> ClassProof {
    let claim: ClassProof.Claim = duplicate.map { .tied(with: $0, .below(combination)) } ?? .unargmaxable(combination)
    return ClassProof(index: index, claim: claim)
  }

  /// A proof for a class that is given up. Of duplicates it still proves that they are tied.
  func undecided(_ combination: Combination, bound: Double) -> ClassProof {
    let claim: ClassProof.Claim = duplicate.map { .tied(with: $0, .unsaid) } ?? .undecided(combination, bound: bound)
    return ClassProof(index: index, claim: claim)
  }

  /// Whether a class is this one or a duplicate that it stands for.
  func isSame(_ other: Int, _ classes: OutputClasses) -> Bool {
    other == index || (duplicate != nil && classes.areDuplicates(other, index))
  }
}

/// The outcome of checking a hidden vector.
enum WitnessOutcome {
  case proven(ClassProof)
  /// The classes that it is not proven to score above, the highest first.
  case beaten(by: [Int])
}

extension ArgmaxSearch {
  /// Checks directions that may put their classes on top. Their hidden vectors are rounded to few decimals, for a short
  /// proof, and those that need them get more.
  func check(_ candidates: [Candidate]) async -> [WitnessOutcome] {
    var outcomes = [WitnessOutcome](repeating: .beaten(by: []), count: candidates.count)
    var open = Array(candidates.indices)
    for digits in [4, 8, nil] {
      guard !open.isEmpty else { break }
      var vectors: [[Double]] = []
      var places: [Int] = []
      for place in open {
        guard let hidden = points.hidden(candidates[place].direction) else { continue }
        vectors.append(digits.map { hidden.rounded(digits: $0, limit: checker.box) } ?? hidden)
        places.append(place)
      }
      let rivals = await rivals(places.map { candidates[$0] }, vectors)
      open = []
      for ((place, vector), rivals) in zip(zip(places, vectors), rivals) {
        if rivals.isEmpty {
          outcomes[place] = .proven(candidates[place].proof(.vector(vector)))
        } else {
          outcomes[place] = .beaten(by: rivals)
          open.append(place)
        }
      }
    }
    return outcomes
  }

  /// The classes that are not proven to score below each hidden vector's own.
  func rivals(_ candidates: [Candidate], _ vectors: [[Double]]) async -> [[Int]] {
    await checker.rivals(
      of: zip(candidates, vectors).map {
        Witness(index: $0.index, elements: $1, ignoresDuplicates: $0.duplicate != nil)
      })
  }
}

extension [Double] {
  /// Rounded to decimals, as many as the largest element has with `digits` digits: numbers that are short when written.
  fileprivate func rounded(digits: Int, limit: Double?) -> [Double] {
    let largest = reduce(0) { Swift.max($0, abs($1)) }
    guard largest > 0 else { return self }
    var power = 1.0
    var places = 0
    while largest * power < 1, places < 22 { (power, places) = (power * 10, places + 1) }
    for _ in 1..<digits where places < 22 { (power, places) = (power * 10, places + 1) }
    // An integer divided by a power of ten, both exact, is the double closest to the decimal.
    return map { number in
      let rounded = (number * power).rounded() / power + 0  // 0 instead of -0
      return limit.map { Swift.min(Swift.max(rounded, -$0), $0) } ?? rounded
    }
  }
}
