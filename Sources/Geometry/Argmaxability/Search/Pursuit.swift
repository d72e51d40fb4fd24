/// A class that is being decided.
struct Pursuit: Sendable {
  let index: Int
  /// The class that it is tied with, as whose first it is pursued for all; nil if it stands for itself.
  let twin: Int?
  /// Where to look next.
  var direction: [Double]

  func proof(_ direction: Direction) -> ClassProof {
    let claim: ClassProof.Claim = twin.map { .tied(with: $0, .above(direction)) } ?? .argmaxable(direction)
    return ClassProof(index: index, claim: claim)
  }

  func proof(_ combination: Combination) -> ClassProof {
    let claim: ClassProof.Claim = twin.map { .tied(with: $0, .below(combination)) } ?? .unargmaxable(combination)
    return ClassProof(index: index, claim: claim)
  }

  /// Given up. Of twins at least that they are is proven.
  func undecided(_ combination: Combination, bound: Double) -> ClassProof {
    let claim: ClassProof.Claim = twin.map { .tied(with: $0, .unsaid) } ?? .undecided(combination, bound: bound)
    return ClassProof(index: index, claim: claim)
  }

  func isSame(_ other: Int, _ classes: OutputClasses) -> Bool {
    other == index || (twin != nil && classes.areTwins(other, index))
  }
}
