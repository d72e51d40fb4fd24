/// The score of the DuEE evaluation: arguments that are right in part count in part.
///
/// A predicted argument's score is `[type is right] · [role is right] · F1`: the best F1, over the characters of the two
/// texts, with a gold argument of its type and role, or with one of that argument's other wordings. Case is ignored, and
/// a character that stands in a text twice has to stand in the other twice. Precision is the sum over the number of
/// predicted arguments, recall the sum over the number of gold arguments. (Li et al. 2020, "DuEE", and the description
/// of the evaluation in the LIC 2020 shared task.)
///
/// The description lets several predicted arguments answer to one gold argument. A model that gives one thing in many
/// wordings can so pass a recall of 1.
public struct WordLevelScore: Sendable, Hashable {
  /// The sum of the predicted arguments' scores.
  public private(set) var sum = 0.0
  /// Arguments that the model gave.
  public private(set) var predicted = 0
  /// Arguments that should have been given.
  public private(set) var gold = 0

  /// No documents yet.
  public init() {}

  /// `sum / predicted`; 0 if nothing was predicted.
  public var precision: Double { predicted == 0 ? 0 : sum / Double(predicted) }
  /// `sum / gold`; 0 if there is nothing to find.
  public var recall: Double { gold == 0 ? 0 : sum / Double(gold) }
  /// The harmonic mean of the two, `2 · sum / (predicted + gold)`; 0 if there are none of either.
  public var f1: Double { predicted + gold == 0 ? 0 : 2 * sum / Double(predicted + gold) }

  /// Adds a document's arguments of one type and role.
  /// - Parameters:
  ///   - predicted: the predicted texts, each once.
  ///   - gold: the wordings of each gold argument.
  mutating func add(predicted: some Collection<String>, gold: some Collection<Set<String>>) {
    self.predicted += predicted.count
    self.gold += gold.count
    let wordings = gold.joined().map { CharacterBag($0) }
    for text in predicted {
      let bag = CharacterBag(text)
      sum += wordings.map(bag.f1).max() ?? 0
    }
  }
}

/// The characters of a text, without their case and order.
struct CharacterBag {
  private var counts: [Unicode.Scalar: Int] = [:]
  private let count: Int

  init(_ text: String) {
    let characters = text.lowercased().unicodeScalars
    count = characters.count
    for character in characters { counts[character, default: 0] += 1 }
  }

  /// `2PR / (P + R)`, `P` and `R` being the share of this text's and of the other's characters that both have.
  func f1(_ other: CharacterBag) -> Double {
    let common = counts.reduce(0) { $0 + min($1.value, other.counts[$1.key] ?? 0) }
    return common == 0 ? 0 : 2 * Double(common) / Double(count + other.count)
  }
}
