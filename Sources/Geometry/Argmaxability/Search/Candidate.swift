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

  /// Given up. Of duplicates it is still proven that they are.
  func undecided(_ combination: Combination, bound: Double) -> ClassProof {
    let claim: ClassProof.Claim = duplicate.map { .tied(with: $0, .unsaid) } ?? .undecided(combination, bound: bound)
    return ClassProof(index: index, claim: claim)
  }

  /// Whether a class is this one or a duplicate that it stands for.
  func isSame(_ other: Int, _ classes: OutputClasses) -> Bool {
    other == index || (duplicate != nil && classes.areDuplicates(other, index))
  }
}
