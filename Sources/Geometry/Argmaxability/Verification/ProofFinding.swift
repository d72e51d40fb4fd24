/// What a check says of a proof.
public enum ProofFinding: Sendable, Hashable {
  /// The claim is true.
  case proven
  /// The proof does not prove its claim; the claim may be true all the same. Why, for a person.
  case rejected(String)
}
