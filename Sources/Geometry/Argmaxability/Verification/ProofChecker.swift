/// Checks proofs about the classes of a layer, in double precision with bounds on every rounding error.
///
/// It knows nothing of how a proof was found. What it calls proven is true of the float32 numbers as real numbers:
///
/// - argmaxable: `<w_k - w_i, h> + b_k - b_i > 0` for all other `i`, each computed difference being larger than the
///   bound on its error;
/// - unargmaxable: `w_k = Σ λ_i w_i` and `b_k ≤ Σ λ_i b_i` *exactly*, for numbers `λ_i > 0` of sum 1 next to the
///   weights of the proof (see ``CertificateCheck``). In a box, `B·‖Σ λ_i (w_k - w_i)‖₁ + Σ λ_i (b_k - b_i) ≤ 0` does
///   as well;
/// - tied: the numbers are compared.
///
/// Overflow makes a proof fail; underflow is part of the bounds.
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

/// Why a proof proves nothing.
struct Rejection: Error {
  let reason: String

  init(_ reason: String) { self.reason = reason }
}
