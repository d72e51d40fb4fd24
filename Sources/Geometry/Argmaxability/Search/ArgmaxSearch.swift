public import Engine

/// Decides for each class of a layer whether any hidden vector makes it the one with the highest score.
///
/// First hidden vectors that are likely to: a class's own vector, the same without the mean, and that in the metric of
/// the vectors' covariance. Then, for what is left, reflections at the rivals that stand in the way; then linear
/// programs over a growing set of rivals. The device says who the rivals are, for many classes at once.
///
/// All of this only proposes. What is reported has passed a ``ProofChecker``; what does not is reported as undecided.
public struct ArgmaxSearch: Sendable {
  /// Is given proofs as they are found, each class once, and what found them.
  public typealias Report = (_ proofs: [ClassProof], _ stage: SearchStage) async throws -> Void

  /// Checks what the search finds.
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
    let duplicates = DuplicateClasses(classes)
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

  /// Whether a proof leaves open what becomes of its class, or of those that are tied with it.
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
