/// Event scores over documents, at three levels.
///
/// Gold counts whether or not the model could have seen it. Give all events that were decoded, those without a trigger
/// too: the event level leaves them out itself, and their arguments count at the levels below, as GPLinker was measured.
public struct EventMetrics: Sendable, Hashable {
  /// Events: right if the type is, and the role and place of every argument, the trigger included. Predicted events
  /// without a trigger are not counted.
  public private(set) var events = MatchCounts()
  /// The same for each type that was predicted or is gold.
  public private(set) var eventsPerType: [String: MatchCounts] = [:]
  /// Arguments without triggers, as (type, role, text), each once a document.
  public private(set) var arguments = MatchCounts()
  /// The same arguments, with the score of the DuEE evaluation.
  public private(set) var words = WordLevelScore()
  /// The role that is the trigger's.
  public let triggerRole: String

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
    let (found, wanted) = (Set(complete.map(PlacedEvent.init)), Set(gold.map(PlacedEvent.init)))
    for event in found { countEvent(event.type) { $0.predicted += 1 } }
    for event in wanted { countEvent(event.type) { $0.gold += 1 } }
    for event in found.intersection(wanted) { countEvent(event.type) { $0.correct += 1 } }
  }

  private mutating func countEvent(_ type: String, _ change: (inout MatchCounts) -> Void) {
    change(&events)
    change(&eventsPerType[type, default: MatchCounts()])
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
