import Testing

@testable import TokenPairs

@Suite struct LabelInventoryTests {
  @Test func entityTypesAreSortedByCodePoints() throws {
    let documents = [
      SmallTexts.entities("a", (0..<1, "ä"), (0..<1, "b"), (0..<1, "Z")), SmallTexts.entities("a", (0..<1, "b")),
      SmallTexts.entities("a"),
    ]
    let inventory = try LabelInventory(of: documents, task: .entities)
    #expect(inventory.labels == ["Z", "b", "ä"] && inventory.links.isEmpty)
    #expect(inventory.label("ä") == 2 && inventory.label("x") == nil && inventory.link("b") == nil)
  }

  @Test func predicatesAreLinks() throws {
    let gold: Set = [
      RelationKey(subject: 0..<1, predicate: "q", object: 2..<3), .init(subject: 0..<1, predicate: "p", object: 2..<3),
    ]
    let inventory = try LabelInventory(of: [.init(text: "a a", gold: .relations(gold))], task: .relations)
    #expect(inventory.labels == ["subject", "object"] && inventory.links == ["p", "q"] && inventory.link("q") == 1)
  }

  @Test func rolesBelongToTheirType() throws {
    let argument = SmallTexts.argument("trigger", 0..<1)
    let gold = [
      EventKey(type: "leave/go", arguments: [argument, SmallTexts.argument("who", 1..<2)]),
      EventKey(type: "arrive", arguments: [argument]),
    ]
    let inventory = try LabelInventory(of: [.init(text: "a a", gold: .events(gold))], task: .events)
    #expect(inventory.labels == ["arrive/trigger", "leave/go/trigger", "leave/go/who"] && inventory.links == ["link"])
    // As the model's own reading takes them apart.
    #expect(try EventSchema(labels: inventory.labels).types == ["arrive", "leave/go"])
  }

  /// Data that nothing can be learned from, and what the message says.
  static let faults: [(documents: [TrainingDocument], task: ModelTask, words: String)] = [
    ([], .entities, "no document"),
    (
      [SmallTexts.entities("a"), SmallTexts.entities("b")], .entities, "none of the 2 documents has any of the entities"
    ),
    ([SmallTexts.entities("a")], .entities, "the only document has"),
    ([SmallTexts.entities("a", (0..<1, ""))], .entities, "document 1: a label is empty"),
    (
      [SmallTexts.entities("a", (0..<1, "\u{E9}")), SmallTexts.entities("a", (0..<1, "e\u{301}"))], .entities,
      "U+65 U+301, and elsewhere U+E9"
    ),
    ([SmallTexts.entities("a", (0..<1, "A"))], .relations, "document 1 has entities, and relations"),
    (
      [.init(text: "a", gold: .events([.init(type: "T", arguments: [SmallTexts.argument("a/b", 0..<1)])]))], .events,
      "role \"a/b\" of event type \"T\" has a slash"
    ),
    (
      [.init(text: "a", gold: .events([.init(type: "", arguments: [SmallTexts.argument("a", 0..<1)])]))], .events,
      "type is empty"
    ),
  ]

  @Test(arguments: faults.indices) func uselessDataAreRefused(index: Int) throws {
    let fault = Self.faults[index]
    let error = #expect(throws: TrainingError.self) {
      try LabelInventory(of: fault.documents, task: fault.task)
    }
    #expect(error?.description.contains(fault.words) == true, "\(error?.description ?? "")")
  }
}
