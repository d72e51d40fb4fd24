public import Engine

/// Decides for each class of a layer whether any hidden vector makes it the one with the highest score.
///
/// It first tries hidden vectors that are likely to: a class's own vector, the same without the mean, and that in the metric of
/// the vectors' covariance. Then, for the remaining classes, reflections at the rivals that score higher; then
/// programs over a growing set of rivals. The device finds the rivals, for many classes at once.
///
/// The search only proposes proofs. All that it reports has passed a ``ProofChecker``; a class of which no proof does is
/// undecided. In a layer of at most ``exactSize`` numbers, ``exactWidth`` a class, none is: programs in integers decide
/// what is left.
public struct ArgmaxSearch: Sendable {
  /// Receives proofs as they are found, each class once, and the stage that found them.
  public typealias Report = (_ proofs: [ClassProof], _ stage: SearchStage) async throws -> Void

  /// Checks the proofs that the search finds.
  public let checker: ProofChecker

  /// The largest layer of which every class is decided, in numbers: classes × dimension, and as many more as there are
  /// classes where biases differ. What double precision leaves open there is decided in integers. Classes of a larger
  /// layer may stay undecided.
  public static let exactSize = 16_384
  /// How many numbers, the bias included where biases differ, a class of such a layer may have.
  public static let exactWidth = 32

  /// How long a solver may take over one program, in steps of its method, before it gives up.
  var solverSteps: Int32 = 200_000
  /// Programs of as many classes are in memory at a time; nil if memory alone says how many.
  var programsAtATime: Int?
  /// The largest layer that is decided in integers.
  var exactSize = ArgmaxSearch.exactSize

  let points: ClassPoints
  let scores: ClassScores
  let duplicates: DuplicateClasses
  private let engine: Engine
  var classes: OutputClasses { checker.classes }

  /// Receives what the checker has accepted. There is no other way for a proof out of the search.
  typealias VerifiedReport = (_ proofs: [VerifiedProof], _ stage: SearchStage) async throws -> Void

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
    func verified(_ proofs: [VerifiedProof], _ stage: SearchStage) async throws {
      if !proofs.isEmpty { try await report(proofs.map(\.proof), stage) }
    }
    var open = try await settleDuplicates(chosen ?? Array(0..<classes.count), report: verified)
    if points.form == .boxed, ClassPoints.losesBiases(classes, box: checker.box) {
      // As if there were no box first: nearly all hidden vectors found lie in it, and certificates hold in any.
      var lifted = try await ArgmaxSearch(
        checker, ClassPoints(classes, box: checker.box, isLifted: true), duplicates, engine)
      (lifted.solverSteps, lifted.programsAtATime) = (solverSteps, programsAtATime)
      open = try await lifted.decide(open, report: verified).map(\.candidate.index)
    }
    let left = try await decideExactly(decide(open, report: verified), report: verified)
    try await verified(left.map(\.proof), .linearPrograms)
  }

  /// Settles the classes that have the same vector as others, and returns the rest with one of each group of copies.
  private func settleDuplicates(_ chosen: [Int], report: VerifiedReport) async throws -> [Int] {
    var open: [Int] = []
    var settled: [VerifiedProof] = []
    for index in chosen {
      let claim: ClassProof.Claim? =
        if let other = duplicates.ties[index] {
          if !duplicates.isFirstOfTie(index) {
            .tied(with: other, .unsaid)
          } else {
            duplicates.above[index].map { .tied(with: other, .below(Combination(classes: [$0], weights: [1]))) }
          }
        } else {
          duplicates.above[index].map { .unargmaxable(Combination(classes: [$0], weights: [1])) }
        }
      if let claim, let proof = checker.verified(ClassProof(index: index, claim: claim)) {
        settled.append(proof)
      } else {
        open.append(index)
      }
    }
    if !settled.isEmpty { try await report(settled, .duplicates) }
    return open
  }

  /// Decides classes in double precision.
  /// - Returns: those that are left.
  private func decide(_ indices: [Int], report: VerifiedReport) async throws -> [UndecidedClass] {
    let nowhere = points.direction([Double](repeating: 0, count: classes.dimension))
    var open = indices.map { Candidate(index: $0, duplicate: duplicates.ties[$0], direction: nowhere) }
    try await probe(&open, report: report)
    try await reflect(&open, report: report)
    return try await solvePrograms(open, report: report)
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
  /// Nearest points and linear programs; what stays undecided ends here too.
  case linearPrograms = "linear programs"
  /// Linear programs in integers, for small layers.
  case exactPrograms = "exact programs"
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

/// A class that the search has given up so far, with a proof of as much as is known of it.
struct UndecidedClass: Sendable {
  let candidate: Candidate
  let proof: VerifiedProof
}

/// The outcome of checking a hidden vector.
enum WitnessOutcome {
  case proven(VerifiedProof)
  /// The classes that it is not proven to score above, the highest first.
  case beaten(by: [Int])
}

extension ArgmaxSearch {
  /// Checks directions that may put their classes on top.
  func check(_ candidates: [Candidate]) async -> [WitnessOutcome] {
    await check(candidates, hidden: candidates.map { points.hidden($0.direction) })
  }

  /// Checks hidden vectors that may put their classes on top. They are rounded to few decimals, for a short proof, and
  /// those that need them get more.
  func check(_ candidates: [Candidate], hidden: [[Double]?]) async -> [WitnessOutcome] {
    var outcomes = [WitnessOutcome](repeating: .beaten(by: []), count: candidates.count)
    var open = Array(candidates.indices)
    for digits in [4, 8, nil] {
      open = open.filter { hidden[$0] != nil }
      guard !open.isEmpty else { break }
      let checked = await check(
        open.map { place in
          let vector = hidden[place] ?? []
          let rounded = digits.map { vector.rounded(digits: $0, limit: checker.box) }
          return candidates[place].proof(.vector(rounded ?? vector))
        })
      for (place, outcome) in zip(open, checked) { outcomes[place] = outcome }
      open = zip(open, checked).compactMap { if case .proven = $1 { nil } else { $0 } }
    }
    return outcomes
  }

  /// Has the checker look at proofs by hidden vectors.
  func check(_ proofs: [ClassProof]) async -> [WitnessOutcome] {
    await checker.checked(proofs).map { outcome in
      switch outcome {
      case .accepted(let proof): .proven(proof)
      case .rejected(let rejection): .beaten(by: rejection.rivals)
      }
    }
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
