/// An event as far as a metric looks at it.
public struct EventKey: Sendable, Hashable {
  /// What happens.
  public let type: String
  /// What takes part, the trigger included; in any order.
  public let arguments: [EventArgumentKey]

  /// An event of a type.
  public init(type: String, arguments: [EventArgumentKey]) {
    self.type = type
    self.arguments = arguments
  }
}

/// An argument of an event as far as a metric looks at it.
public struct EventArgumentKey: Sendable, Hashable {
  /// What it is to the event.
  public let role: String
  /// Code points, end-exclusive.
  public let range: Range<Int>
  /// The words at that place.
  public let text: String
  /// Other words for the same, of a gold argument: any of them is right, word by word.
  public let aliases: [String]

  /// An argument at a place.
  public init(role: String, range: Range<Int>, text: String, aliases: [String] = []) {
    self.role = role
    self.range = range
    self.text = text
    self.aliases = aliases
  }
}

/// Event scores over documents, at three levels.
///
/// Gold counts whether or not the model could have seen it. Give all events that were decoded, those without a trigger
/// too: the event level leaves them out itself, and their arguments count at the levels below, as GPLinker was measured.
public struct EventMetrics: Sendable, Hashable {
  /// Events: right if the type is, and the role and place of every argument, the trigger included. Predicted events
  /// without a trigger are not counted.
  public var events: MatchCounts { counts.total }
  /// The same for each type that was predicted or is gold.
  public var eventsPerType: [String: MatchCounts] { counts.perName }
  /// Arguments without triggers, as (type, role, text), each once a document.
  public private(set) var arguments = MatchCounts()
  /// The same arguments, with the score of the DuEE evaluation.
  public private(set) var words = WordLevelScore()
  /// The role that is the trigger's.
  public let triggerRole: String
  private var counts = NamedCounts()

  /// No documents yet.
  /// - Parameter triggerRole: the role of the word that says that something happened.
  public init(triggerRole: String = "trigger") { self.triggerRole = triggerRole }

  /// Adds a document; an event given twice counts once, so does an argument within an event.
  public mutating func add(predicted: [EventKey], gold: [EventKey]) {
    addEvents(predicted, gold)
    addArguments(predicted, gold)
  }

  private mutating func addEvents(_ predicted: [EventKey], _ gold: [EventKey]) {
    let complete = predicted.filter { $0.arguments.contains { $0.role == triggerRole } }
    counts.add(predicted: Set(complete.map(PlacedEvent.init)), gold: Set(gold.map(PlacedEvent.init)), name: \.type)
  }

  private mutating func addArguments(_ predicted: [EventKey], _ gold: [EventKey]) {
    let (found, wanted) = (wordings(predicted), wordings(gold))
    // Floating-point sums depend on their order.
    for slot in Set(found.keys).union(wanted.keys).sorted(by: Slot.precedes) {
      let (texts, goldTexts) = (found[slot] ?? [:], wanted[slot] ?? [:])
      arguments.predicted += texts.count
      arguments.gold += goldTexts.count
      arguments.correct += Set(texts.keys).intersection(goldTexts.keys).count
      words.add(predicted: texts.keys.sorted(), gold: goldTexts.values)
    }
  }

  /// For each type and role, the texts of its arguments, and all wordings of each.
  private func wordings(_ events: [EventKey]) -> [Slot: [String: Set<String>]] {
    var result: [Slot: [String: Set<String>]] = [:]
    for event in events {
      for argument in event.arguments where argument.role != triggerRole {
        result[Slot(type: event.type, role: argument.role), default: [:]][argument.text, default: [argument.text]]
          .formUnion(argument.aliases)
      }
    }
    return result
  }

  private struct Slot: Hashable {
    let type: String
    let role: String

    static func precedes(_ a: Slot, _ b: Slot) -> Bool { (a.type, a.role) < (b.type, b.role) }
  }

  /// An event as a type and a set of roles at places: the whole argument list, whatever its order.
  private struct PlacedEvent: Hashable {
    let type: String
    let arguments: Set<Argument>

    init(_ event: EventKey) {
      type = event.type
      arguments = Set(event.arguments.map { Argument(role: $0.role, range: $0.range) })
    }

    struct Argument: Hashable {
      let role: String
      let range: Range<Int>
    }
  }
}

/// The score of the DuEE evaluation: arguments that are right in part count in part.
///
/// A predicted argument's score is `[type is right] · [role is right] · F1`: the best F1, over the characters of the two
/// texts, with a gold argument of its type and role, or with one of that argument's other wordings. Case is ignored, and
/// a character that occurs twice in a text has to occur twice in the other. Precision is the sum over the number of
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
    let wordings = Wordings(gold.joined())
    for text in predicted { sum += wordings.bestF1(text) }
  }
}

/// Texts among which the most alike is sought.
///
/// Two texts of different lengths have few characters in common, at most all of the shorter one. So the search starts at
/// those of equal length, and ends where the length alone rules out a better one: a model that finds everything is not
/// held against all that is true, text by text and character by character.
private struct Wordings {
  /// By length.
  private let bags: [CharacterBag]

  init(_ texts: some Sequence<String>) {
    bags = texts.map { CharacterBag($0) }.sorted { $0.count < $1.count }
  }

  /// The highest F1 of a text with one of these; 0 if there are none.
  func bestF1(_ text: String) -> Double {
    guard !bags.isEmpty else { return 0 }
    let bag = CharacterBag(text)
    var (lower, upper) = (0, bags.count)
    while lower < upper {
      let middle = (lower + upper) / 2
      if bags[middle].count < bag.count { lower = middle + 1 } else { upper = middle }
    }
    var best = 0.0
    (lower, upper) = (lower - 1, lower)
    while lower >= 0 || upper < bags.count {
      let shorter = lower >= 0 ? bag.highestF1(bags[lower]) : 0
      let longer = upper < bags.count ? bag.highestF1(bags[upper]) : 0
      guard max(shorter, longer) > best else { break }
      if shorter > longer {
        best = max(best, bag.f1(bags[lower]))
        lower -= 1
      } else {
        best = max(best, bag.f1(bags[upper]))
        upper += 1
      }
    }
    return best
  }
}

/// The characters of a text, without their case and order.
struct CharacterBag {
  private var counts: [Unicode.Scalar: Int] = [:]
  /// How many there are.
  let count: Int

  init(_ text: String) {
    let characters = text.lowercased().unicodeScalars
    count = characters.count
    for character in characters { counts[character, default: 0] += 1 }
  }

  /// `2PR / (P + R)`, `P` and `R` being the share of this text's and of the other's characters that both have.
  func f1(_ other: CharacterBag) -> Double {
    let common = counts.reduce(0) { $0 + min($1.value, other.counts[$1.key] ?? 0) }
    return f1(common: common, other)
  }

  /// What `f1` can be at most, by the lengths.
  func highestF1(_ other: CharacterBag) -> Double { f1(common: min(count, other.count), other) }

  private func f1(common: Int, _ other: CharacterBag) -> Double {
    common == 0 ? 0 : 2 * Double(common) / Double(count + other.count)
  }
}
