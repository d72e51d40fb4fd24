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
    /// `bound · ‖(h, 1)‖` where there are biases, or `bound` itself in a box where there are.
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

/// The outcome for a class.
public enum Verdict: String, Sendable, Hashable, CaseIterable {
  /// Some hidden vector makes it the only one with the highest score.
  case argmaxable
  /// None does.
  case unargmaxable
  /// None does, because another class always scores the same.
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
}

/// A convex combination of classes: `Σ weights[i] · w_classes[i]`.
public struct Combination: Sendable, Hashable {
  /// The classes, all different.
  public let classes: [Int]
  /// Their weights: positive, with sum 1 up to rounding.
  public let weights: [Double]

  /// A combination of classes; as many weights as classes.
  public init(classes: [Int], weights: [Double]) {
    self.classes = classes
    self.weights = weights
  }
}

/// What a check says of a proof.
public enum ProofFinding: Sendable, Hashable {
  /// The claim is true.
  case proven
  /// The proof does not prove its claim, which may still be true. The text says why.
  case rejected(String)
}

/// Checks proofs about the classes of a layer, in double precision with bounds on every rounding error.
///
/// It does not depend on how a proof was found. What it accepts is true of the float32 numbers as real numbers:
///
/// - argmaxable: `<w_k - w_i, h> + b_k - b_i > 0` for all other `i`, each computed difference being larger than the
///   bound on its error;
/// - unargmaxable: `w_k = Σ λ_i w_i` and `b_k ≤ Σ λ_i b_i` *exactly*, for numbers `λ_i > 0` of sum 1 next to the
///   weights of the proof (see ``CertificateCheck``). In a box, `B·‖Σ λ_i (w_k - w_i)‖₁ + Σ λ_i (b_k - b_i) ≤ 0` does
///   as well;
/// - tied: the numbers are compared.
///
/// Overflow makes a proof fail; the bounds cover underflow.
public struct ProofChecker: Sendable {
  /// The classes that proofs are about.
  public let classes: OutputClasses
  /// Hidden vectors have elements from -box to box; any if nil.
  public let box: Double?

  /// No less than the length of each class's vector.
  let norms: [Double]
  /// The mean of all vectors, rounded.
  let mean: [Double]

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
    classes.elements.withUnsafeBufferPointer { elements in
      for index in 0..<classes.count {
        var squares = 0.0
        for j in 0..<dimension {
          let x = Double(elements[index * dimension + j])
          squares += x * x
          sums[j] += x
        }
        // Squares of floats neither overflow nor underflow.
        norms.append(squares.squareRoot() * (1 + Double(dimension + 8) * 0x1p-53))
      }
    }
    self.norms = norms
    mean = sums.map { $0 / Double(classes.count) }
  }

  /// The hidden vector that a direction of class `index` stands for; nil if it has the wrong length.
  package func hiddenVector(_ direction: Direction, of index: Int) -> [Double]? {
    switch direction {
    case .row(let scale): classes.row(index).map { scale * Double($0) }
    case .centredRow(let scale): zip(classes.row(index), mean).map { scale * (Double($0) - $1) }
    case .vector(let elements): elements.count == classes.dimension ? elements : nil
    }
  }

  /// Checks proofs, the directions of all of them together.
  /// - Returns: what was found of each proof, in order.
  public func findings(_ proofs: [ClassProof]) async -> [ProofFinding] {
    var findings = [ProofFinding](repeating: .proven, count: proofs.count)
    var witnesses: [Witness] = []
    var places: [Int] = []
    for (place, proof) in proofs.enumerated() {
      do throws(Rejection) {
        guard let witness = try check(proof) else { continue }
        witnesses.append(witness)
        places.append(place)
      } catch {
        findings[place] = .rejected(error.reason)
      }
    }
    for (place, rivals) in zip(places, await rivals(of: witnesses)) {
      guard let worst = rivals.first else { continue }
      findings[place] = .rejected("the hidden vector does not put it above class \(worst)")
    }
    return findings
  }

  /// Checks all but directions.
  /// - Returns: the direction that is still to be checked, if there is one.
  private func check(_ proof: ClassProof) throws(Rejection) -> Witness? {
    let index = proof.index
    guard (0..<classes.count).contains(index) else { throw Rejection("there is no class \(index)") }
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
      guard let proven = CertificateCheck(self).bound(combination, of: index), proven <= bound else {
        throw Rejection("the bound \(bound) does not follow from the combination")
      }
    }
    return nil
  }

  private func witness(
    _ direction: Direction, of index: Int, ignoresDuplicates: Bool
  ) throws(Rejection) -> Witness {
    guard let elements = hiddenVector(direction, of: index) else {
      throw Rejection("the hidden vector has not \(classes.dimension) elements")
    }
    guard elements.allSatisfy(\.isFinite) else { throw Rejection("the hidden vector is not finite") }
    if let box, let place = elements.firstIndex(where: { abs($0) > box }) {
      throw Rejection("element \(place) of the hidden vector, \(elements[place]), is outside the box of \(box)")
    }
    return Witness(index: index, elements: elements, ignoresDuplicates: ignoresDuplicates)
  }
}

/// Why a proof is not accepted.
struct Rejection: Error {
  let reason: String

  init(_ reason: String) { self.reason = reason }
}
