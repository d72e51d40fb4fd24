import Testing

@testable import TokenPairs

/// Labels on the cells of scores, computed by hand. Tokens of the text, CLS being 0:
/// 1 mr (0-2), 2 . (2-3), 3 reed (4-8), 4 ##s (8-9), 5 left (10-14), 6 a (15-16), 7 reed (17-21), 8 . (21-22).
@Suite struct LabelAlignerTests {
  private func align(
    _ documents: [TrainingDocument], _ inventory: LabelInventory? = nil, capacity: Int = 14, overlap: Int = 6
  ) throws -> (windows: [LabelledWindow], report: AlignmentReport) {
    let inventory = try inventory ?? LabelInventory(of: documents, task: documents[0].gold.task)
    let reader = try SmallTexts.reader(capacity: capacity, overlap: overlap)
    return LabelAligner(reader: reader, inventory: inventory).windows(of: documents)
  }

  @Test func entitiesAreCellsOfFirstAndLastToken() throws {
    let (windows, report) = try align([
      SmallTexts.entities(SmallTexts.reeds, (0..<9, "PER"), (4..<9, "PER"), (17..<21, "THING"), (15..<21, "PER")),
      SmallTexts.entities("a"),
    ])
    #expect(windows.map(\.document) == [0, 1])
    #expect(windows[0].ids == [2, 4, 5, 6, 8, 7, 9, 6, 5, 3] && windows[1].ids == [2, 9, 3])
    #expect(windows[0].labels == WindowLabels(spans: [.init(0, 1, 4), .init(0, 3, 4), .init(0, 6, 7), .init(1, 7, 7)]))
    #expect(windows[1].labels == WindowLabels())
    #expect(report.documents == 2 && report.windows == 2 && report.tokens == 13)
    #expect(report.spans == 4 && report.placedSpans == 4 && report.remarks(for: .learning).isEmpty)
  }

  @Test func whatTokensCannotBearOutIsCounted() throws {
    let document = TrainingDocument(
      text: SmallTexts.reeds,
      gold: .entities([
        .init(range: 0..<2, label: "A"), .init(range: 0..<1, label: "A"), .init(range: 5..<8, label: "A"),
        .init(range: 3..<8, label: "A"), .init(range: 21..<23, label: "A"), .init(range: -1..<2, label: "A"),
        .init(range: 4..<4, label: "A"),
      ]), unusableLabels: 2)
    let (windows, report) = try align([document])
    #expect(windows[0].labels.spans == [.init(0, 1, 1)])
    #expect(report.spans == 9 && report.placedSpans == 1)
    #expect(
      report.spansAcrossTokens == 3 && report.spansOutside == 3 && report.unusableLabels == 2 && report.spansCut == 0)
    #expect(
      report.remarks(for: .learning) == [
        "5 labels lie outside of their texts and were left out",
        "3 labels begin or end within a token and were left out",
      ])
    #expect(
      report.remarks(for: .scoring) == [
        "2 labels lie outside of their texts and were left out",
        "3 labels lie outside of their texts and count as missed",
        "3 labels begin or end within a token and count as missed",
      ])
  }

  @Test func relationsLinkFirstAndLastTokens() throws {
    let gold: Set = [
      RelationKey(subject: 0..<9, predicate: "q", object: 15..<21),
      .init(subject: 0..<9, predicate: "p", object: 17..<21),
      .init(subject: 4..<9, predicate: "q", object: 0..<3), .init(subject: 17..<21, predicate: "p", object: 17..<21),
      // A link to a span that has no place.
      .init(subject: 0..<9, predicate: "p", object: 18..<21),
    ]
    let (windows, report) = try align([.init(text: SmallTexts.reeds, gold: .relations(gold))])
    let labels = windows[0].labels
    #expect(
      labels.spans == [.init(0, 1, 4), .init(0, 3, 4), .init(0, 7, 7), .init(1, 1, 2), .init(1, 6, 7), .init(1, 7, 7)])
    #expect(labels.head == [.init(0, 1, 7), .init(0, 7, 7), .init(1, 1, 6), .init(1, 3, 1)])
    #expect(labels.tail == [.init(0, 4, 7), .init(0, 7, 7), .init(1, 4, 2), .init(1, 4, 7)])
    #expect(report.spans == 7 && report.placedSpans == 6 && report.spansAcrossTokens == 1)
    #expect(report.links == 5 && report.placedLinks == 4 && report.linksApart == 0)
  }

  @Test func argumentsOfAnEventAreLinkedInEitherOrder() throws {
    let gold = [
      EventKey(
        type: "T",
        arguments: [
          SmallTexts.argument("trigger", 10..<14), SmallTexts.argument("who", 0..<9),
          SmallTexts.argument("what", 15..<21),
          // The same argument twice is one; one span in two roles is two arguments.
          SmallTexts.argument("who", 0..<9), SmallTexts.argument("whom", 10..<14),
        ]),
      EventKey(type: "T", arguments: [SmallTexts.argument("who", 0..<9), SmallTexts.argument("trigger", 10..<14)]),
      EventKey(type: "U", arguments: [SmallTexts.argument("trigger", 4..<9)]),
    ]
    let (windows, report) = try align([.init(text: SmallTexts.reeds, gold: .events(gold))])
    // T/trigger, T/what, T/who, T/whom, U/trigger
    let labels = windows[0].labels
    #expect(labels.spans == [.init(0, 5, 5), .init(1, 6, 7), .init(2, 1, 4), .init(3, 5, 5), .init(4, 3, 4)])
    #expect(labels.head == [.init(0, 1, 5), .init(0, 1, 6), .init(0, 5, 5), .init(0, 5, 6)])
    #expect(labels.tail == [.init(0, 4, 5), .init(0, 4, 7), .init(0, 5, 5), .init(0, 5, 7)])
    #expect(report.links == 6 && report.placedLinks == 6, "of four arguments, each pair once, however many events")
  }

  @Test func aLabelBelongsToEveryWindowThatHoldsIt() throws {
    // Twelve tokens a (0-1, 2-3, …) in windows 0..<6, 3..<9, 6..<12 of the text.
    let text = Array(repeating: "a", count: 12).joined(separator: " ")
    func place(_ tokens: ClosedRange<Int>) -> Range<Int> { 2 * tokens.lowerBound..<2 * tokens.upperBound + 1 }
    let gold: Set = [
      RelationKey(subject: place(3...4), predicate: "p", object: place(5...5)),
      .init(subject: place(0...0), predicate: "p", object: place(8...8)),
      .init(subject: place(2...8), predicate: "p", object: place(8...8)),
    ]
    let (windows, report) = try align(
      [.init(text: text, gold: .relations(gold))], capacity: 6, overlap: 3)
    #expect(windows.map(\.ids.count) == [8, 8, 8] && windows.allSatisfy { $0.document == 0 })
    #expect(windows[0].labels.spans == [.init(0, 1, 1), .init(0, 4, 5), .init(1, 6, 6)])
    #expect(windows[1].labels.spans == [.init(0, 1, 2), .init(1, 3, 3), .init(1, 6, 6)])
    #expect(windows[2].labels.spans == [.init(1, 3, 3)])
    #expect(windows.map(\.labels.head) == [[.init(0, 4, 6)], [.init(0, 1, 3)], []])
    #expect(windows.map(\.labels.tail) == [[.init(0, 5, 6)], [.init(0, 2, 3)], []])
    #expect(report.spansCut == 1 && report.placedSpans == 4 && report.spans == 5)
    #expect(report.links == 3 && report.placedLinks == 1 && report.linksApart == 1)
    #expect(
      report.remarks(for: .learning) == [
        "1 label fits no window and was left out", "1 link joins spans that no window holds both and was left out",
      ])
  }

  @Test func namesThatTrainingNeverShowsAreCounted() throws {
    let inventory = LabelInventory(task: .entities, labels: ["A"], links: [])
    let (windows, report) = try align(
      [SmallTexts.entities("a left", (0..<1, "B"), (2..<6, "B"), (0..<6, "C"), (0..<1, "A"))], inventory)
    #expect(windows[0].labels.spans == [.init(0, 1, 1)])
    #expect(report.unknownNames == ["B": 2, "C": 1] && report.spans == 1)
    #expect(report.remarks(for: .learning) == ["not in the training data: \"B\" (2), \"C\" (1)"])
  }
}

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
