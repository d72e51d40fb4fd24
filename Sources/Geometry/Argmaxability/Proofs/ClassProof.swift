/// What is known of one class, with what anybody needs to check it: see ``ProofChecker``.
public struct ClassProof: Sendable, Hashable {
  /// What is known.
  public enum Claim: Sendable, Hashable {
    /// The hidden vector puts the class above all others.
    case argmaxable(Direction)
    /// No hidden vector does: the other classes' combination scores at least as much, whatever the vector.
    case unargmaxable(Combination)
    /// Another class has the same vector and bias, so that neither is ever above the other.
    case tied(with: Int, Together)
    /// Nothing is proven but this: no hidden vector `h` puts it above all others by more than `bound · ‖h‖`, or
    /// `bound · ‖(h, 1)‖` where there are biases, or `bound` itself in a box where there are.
    case undecided(Combination, bound: Double)
  }

  /// What becomes of classes that are tied, seen as one.
  public enum Together: Sendable, Hashable {
    /// The hidden vector puts them above all the rest.
    case above(Direction)
    /// No hidden vector does.
    case below(Combination)
    /// Not known, or said at the class that this one is tied with.
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

/// How a class ends.
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
