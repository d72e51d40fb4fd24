/// A claim about one class, with all that is needed to check it by a ``ProofChecker``.
public struct ClassProof: Sendable, Hashable {
  /// What is known.
  public enum Claim: Sendable, Hashable {
    /// The hidden vector puts the class above all others.
    case argmaxable(Direction)
    /// No hidden vector does: the other classes' combination scores at least as much, whatever the vector.
    case unargmaxable(Combination)
    /// Another class has the same vector and bias, so that neither is ever above the other.
    case tied(with: Int, GroupClaim)
    /// Only a bound is proven: no hidden vector `h` puts it above all others by more than `bound · ‖h‖`, or
    /// `bound · ‖(h, 1)‖` where there are biases, or `bound` itself in a box where there are. The largest number of
    /// double precision stands for no bound.
    case undecided(Combination, bound: Double)
  }

  /// A claim about tied classes, taken as one class.
  public enum GroupClaim: Sendable, Hashable {
    /// The hidden vector puts them above all the rest.
    case above(Direction)
    /// No hidden vector does.
    case below(Combination)
    /// Not known, or claimed by the proof of the class that this one is tied with.
    case unsaid
  }

  /// The class.
  public let index: Int
  /// What is known of it.
  public let claim: Claim

  /// A claim about a class.
  public init(index: Int, claim: Claim) {
    self.index = index
    self.claim = claim
  }

  /// The claim in one word.
  public var verdict: Verdict {
    switch claim {
    case .argmaxable: .argmaxable
    case .unargmaxable: .unargmaxable
    case .tied: .tied
    case .undecided: .undecided
    }
  }
}

/// The outcome for a class. Each class has exactly one that can be proven, or is undecided.
public enum Verdict: String, Sendable, Hashable, CaseIterable {
  /// Some hidden vector makes it the only one with the highest score.
  case argmaxable
  /// None does, though no other class has the same vector and bias.
  case unargmaxable
  /// None does, because another class has the same vector and bias and so the same score, always. What hidden vectors
  /// do to them together is a note to this, see ``ClassProof/GroupClaim``.
  case tied
  /// Neither could be proven.
  case undecided
}

/// A hidden vector.
public enum Direction: Sendable, Hashable {
  /// `scale · w_k`, for the class `k` that it belongs to.
  case row(scale: Double)
  /// `scale · (w_k - mean of all classes' vectors)`.
  case centredRow(scale: Double)
  /// Its elements.
  case vector([Double])
  /// Its elements, where they are no numbers of double precision.
  case exact([ExactNumber])
}

/// A convex combination of classes: `Σ weights[i] · w_classes[i]`.
public struct Combination: Sendable, Hashable {
  /// The classes, all different.
  public let classes: [Int]
  /// Their weights: positive, with sum 1 up to rounding.
  public let weights: [Double]
  /// The weights without rounding, with a sum of exactly 1; nil if they are not known so. Those in double precision then
  /// only say where to look for them.
  public let exactWeights: [ExactNumber]?

  /// A combination of classes; as many weights as classes.
  public init(classes: [Int], weights: [Double]) {
    self.classes = classes
    self.weights = weights
    exactWeights = nil
  }

  /// A combination of classes; as many weights as classes.
  public init(classes: [Int], exactWeights: [ExactNumber]) {
    self.classes = classes
    self.exactWeights = exactWeights
    weights = exactWeights.map(\.rounded)
  }
}

/// What a check says of a proof.
public enum ProofFinding: Sendable, Hashable {
  /// The claim is true.
  case proven
  /// The proof does not prove its claim, which may still be true. The text says why.
  case rejected(String)
}

/// A proof that a ``ProofChecker`` has accepted. Nothing else makes one.
package struct VerifiedProof: Sendable {
  package let proof: ClassProof

  fileprivate init(_ proof: ClassProof) { self.proof = proof }
}

/// What a check says of a proof, for those that look for proofs.
package enum CheckOutcome: Sendable {
  case accepted(VerifiedProof)
  case rejected(Rejection)
}

/// Why a proof is not accepted.
package struct Rejection: Error, Sendable {
  package let reason: String
  /// The classes that a hidden vector is not proven to put the class above, the closest to the top first.
  package let rivals: [Int]
  /// Whether earlier versions took such proofs, so that a file that they wrote may hold some.
  package let isOutdated: Bool

  init(_ reason: String, rivals: [Int] = [], isOutdated: Bool = false) {
    (self.reason, self.rivals, self.isOutdated) = (reason, rivals, isOutdated)
  }
}

/// Checks proofs about the classes of a layer: in double precision with bounds on every rounding error, and in integers
/// where those leave a doubt.
///
/// It does not depend on how a proof was found. What it accepts is true of the layer's numbers as real numbers, and of
/// each class it accepts one verdict at most, besides `undecided`:
///
/// - argmaxable: `<w_k - w_i, h> + b_k - b_i > 0` for all other `i`, and h is inside the box;
/// - unargmaxable: `w_k = Σ λ_i w_i` and `b_k ≤ Σ λ_i b_i` *exactly*, for numbers `λ_i > 0` of sum 1 that are the proof's
///   exact weights, or next to its rounded ones (see ``CertificateCheck``). In a box,
///   `B·‖Σ λ_i (w_k - w_i)‖₁ + Σ λ_i (b_k - b_i) ≤ 0` does as well;
/// - tied: the numbers are compared. A class with the numbers of another is nothing else but tied.
public struct ProofChecker: Sendable {
  /// The classes that proofs are about.
  public let classes: OutputClasses
  /// Hidden vectors have elements from -box to box; any if nil.
  public let box: Double?

  /// No less than the length of each class's vector.
  let norms: [Double]
  /// The mean of all vectors, rounded.
  let mean: [Double]
  /// The biases; nil if they decide nothing.
  let bias: [Double]?
  /// For each class that has the numbers of others the first of these.
  private let copies: [Int: Int]

  /// A checker of proofs about `classes`.
  /// - Throws: ``GeometryError`` if the box is not a positive number.
  public init(_ classes: OutputClasses, box: Double? = nil) throws(GeometryError) {
    if let box, !(box > 0 && box.isFinite) { throw GeometryError("the box must be a positive number, not \(box)") }
    self.classes = classes
    self.box = box
    let dimension = classes.dimension
    var norms: [Double] = []
    norms.reserveCapacity(classes.count)
    var sums = [Double](repeating: 0, count: dimension)
    var hashes: [UInt64] = []
    hashes.reserveCapacity(classes.count)
    for index in 0..<classes.count {
      var squares = 0.0
      var hash: UInt64 = 0
      for (j, x) in classes.row(index).enumerated() {
        squares += x * x
        sums[j] += x
        // Zeros of both signs are equal.
        hash = (hash ^ (x + 0).bitPattern) &* 0x9E37_79B9_7F4A_7C15
        hash ^= hash >> 32
      }
      // The last term is for squares of float64 numbers that underflow. Those that overflow leave an infinite norm, which
      // settles nothing.
      norms.append(
        squares.squareRoot() * (1 + Double(dimension + 8) * 0x1p-53) + Double.leastNormalMagnitude.squareRoot())
      hashes.append(hash ^ ((classes.bias?[index] ?? 0) + 0).bitPattern)
    }
    self.norms = norms
    mean = sums.map { $0 / Double(classes.count) }
    bias = classes.decidingBias
    copies = Self.copies(classes, hashes)
  }

  /// Equal classes are next to each other in the order of their hashes, apart from others of the same hash.
  private static func copies(_ classes: OutputClasses, _ hashes: [UInt64]) -> [Int: Int] {
    let order = hashes.indices.sorted { (hashes[$0], $0) < (hashes[$1], $1) }
    var copies: [Int: Int] = [:]
    var start = 0
    while start < order.count {
      var end = start + 1
      while end < order.count, hashes[order[end]] == hashes[order[start]] { end += 1 }
      var different: [Int] = []
      for index in order[start..<end] {
        if let first = different.first(where: { classes.areDuplicates($0, index) }) {
          copies[index] = first
          if copies[first] == nil { copies[first] = index }
        } else {
          different.append(index)
        }
      }
      start = end
    }
    return copies
  }

  /// The hidden vector that a direction of class `index` stands for, exact numbers being rounded; nil if it has the wrong
  /// length.
  package func hiddenVector(_ direction: Direction, of index: Int) -> [Double]? {
    switch direction {
    case .row(let scale): classes.row(index).map { scale * $0 }
    case .centredRow(let scale): zip(classes.row(index), mean).map { scale * ($0 - $1) }
    case .vector(let elements): elements.count == classes.dimension ? elements : nil
    case .exact(let elements): elements.count == classes.dimension ? elements.map(\.rounded) : nil
    }
  }

  /// Checks proofs, the directions of all of them together.
  /// - Returns: what was found of each proof, in order.
  public func findings(_ proofs: [ClassProof]) async -> [ProofFinding] {
    await checked(proofs).map { outcome in
      switch outcome {
      case .accepted: .proven
      case .rejected(let rejection): .rejected(rejection.reason)
      }
    }
  }

  /// Checks proofs, the directions of all of them together.
  /// - Returns: the proofs that hold, and why others do not, in order.
  package func checked(_ proofs: [ClassProof]) async -> [CheckOutcome] {
    var outcomes: [CheckOutcome] = []
    outcomes.reserveCapacity(proofs.count)
    var witnesses: [(place: Int, witness: Witness)] = []
    var exactWitnesses: [(place: Int, witness: ExactWitness)] = []
    for (place, proof) in proofs.enumerated() {
      do throws(Rejection) {
        switch try check(proof) {
        case .nothing: break
        case .witness(let witness): witnesses.append((place, witness))
        case .exactWitness(let witness): exactWitnesses.append((place, witness))
        }
        outcomes.append(.accepted(VerifiedProof(proof)))
      } catch {
        outcomes.append(.rejected(error))
      }
    }
    func reject(_ place: Int, _ rivals: [Int]) {
      guard let worst = rivals.first else { return }
      outcomes[place] = .rejected(
        Rejection("the hidden vector does not put it above class \(worst)", rivals: rivals))
    }
    if !witnesses.isEmpty {
      for (item, rivals) in zip(witnesses, await rivals(of: witnesses.map(\.witness))) { reject(item.place, rivals) }
    }
    if !exactWitnesses.isEmpty {
      for (item, rival) in zip(exactWitnesses, await rivals(of: exactWitnesses.map(\.witness))) {
        reject(item.place, rival.map { [$0] } ?? [])
      }
    }
    return outcomes
  }

  /// Checks one proof without a direction in double precision; nil if it does not hold.
  package func verified(_ proof: ClassProof) -> VerifiedProof? {
    guard case .nothing? = try? check(proof) else { return nil }
    return VerifiedProof(proof)
  }

  /// What is left to check of a proof.
  private enum Remainder {
    case nothing
    case witness(Witness)
    case exactWitness(ExactWitness)
  }

  /// Checks all but directions.
  private func check(_ proof: ClassProof) throws(Rejection) -> Remainder {
    let index = proof.index
    guard (0..<classes.count).contains(index) else { throw Rejection("there is no class \(index)") }
    if proof.verdict != .tied, let copy = copies[index] {
      throw Rejection("class \(copy) has the same numbers, so that it is tied", isOutdated: true)
    }
    switch proof.claim {
    case .argmaxable(let direction):
      return try witness(direction, of: index, ignoresDuplicates: false)
    case .unargmaxable(let combination):
      try CertificateCheck(self).check(combination, of: index)
    case .tied(let other, let together):
      guard (0..<classes.count).contains(other), other != index, classes.areDuplicates(index, other) else {
        throw Rejection("class \(other) has not the same numbers")
      }
      switch together {
      case .above(let direction): return try witness(direction, of: index, ignoresDuplicates: true)
      case .below(let combination):
        try CertificateCheck(self).check(combination, of: index)
        guard !combination.classes.contains(where: { classes.areDuplicates($0, index) }) else {
          throw Rejection("the combination holds a class that it is tied with")
        }
      case .unsaid: break
      }
    case .undecided(let combination, let bound):
      let check = CertificateCheck(self)
      guard let proven = check.bound(combination, of: index) ?? check.noBound(combination, of: index), proven <= bound
      else { throw Rejection("the bound \(bound) does not follow from the combination") }
    }
    return .nothing
  }

  private func witness(
    _ direction: Direction, of index: Int, ignoresDuplicates: Bool
  ) throws(Rejection) -> Remainder {
    func outside(_ place: Int, _ element: String) -> Rejection {
      Rejection(
        "element \(place) of the hidden vector, \(element), is outside the box of \(box ?? .infinity)",
        isOutdated: true)
    }
    if case .exact(let elements) = direction {
      guard elements.count == classes.dimension else {
        throw Rejection("the hidden vector has not \(classes.dimension) elements")
      }
      let hidden = ExactCheck.Hidden(elements)
      if let box, let place = hidden.firstOutside(box) { throw outside(place, "\(elements[place])") }
      return .exactWitness(ExactWitness(index: index, hidden: hidden, ignoresDuplicates: ignoresDuplicates))
    }
    guard let elements = hiddenVector(direction, of: index) else {
      throw Rejection("the hidden vector has not \(classes.dimension) elements")
    }
    guard elements.allSatisfy(\.isFinite) else { throw Rejection("the hidden vector is not finite") }
    if let box, let place = elements.firstIndex(where: { abs($0) > box }) { throw outside(place, "\(elements[place])") }
    return .witness(Witness(index: index, elements: elements, ignoresDuplicates: ignoresDuplicates))
  }
}
