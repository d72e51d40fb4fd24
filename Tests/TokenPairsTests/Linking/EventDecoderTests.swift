import Engine
import Testing

@testable import TokenPairs

@Suite struct EventLabelTests {
  @Test func theTypeIsEverythingBeforeTheLastSlash() throws {
    let plain = try EventLabel("人生-死亡/死者")
    #expect(plain.type == "人生-死亡")
    #expect(plain.role == "死者")
    let slashed = try EventLabel("组织关系-辞/离职/trigger")
    #expect(slashed.type == "组织关系-辞/离职")
    #expect(slashed.role == EventLabel.triggerRole)
  }

  @Test(arguments: ["", "/", "trigger", "/trigger", "人生-死亡/", "a/b/"])
  func aLabelWithoutTypeOrRoleIsRefused(label: String) {
    let error = #expect(throws: EventLabelError.self) { try EventLabel(label) }
    #expect(error?.description.contains("\"\(label)\" is not of the form TYPE/ROLE") == true)
    #expect(throws: EventLabelError(label: label)) { try EventSchema(labels: ["a/b", label]) }
  }

  @Test func aSchemaNumbersTypesAndRolesInOrder() throws {
    let schema = try EventSchema(labels: ["a/时间", "b/c/trigger", "a/trigger", "b/c/时间", "d/x"])
    #expect(schema.types == ["a", "b/c", "d"])
    #expect(schema.roles == ["时间", "trigger", "x"])
    #expect(schema.labels.map(\.type) == [0, 1, 0, 1, 2])
    #expect(schema.labels.map(\.role) == [0, 1, 1, 0, 2])
    #expect(schema.triggerRole == 1)
    #expect((0..<3).map(schema.hasTrigger) == [true, true, false])
    #expect(try EventSchema(labels: ["d/x"]).triggerRole == nil)
  }
}

@Suite struct EventDecoderTests {
  /// Types 0 and 1 have triggers (role 0), type 2 has none.
  private let schema: EventSchema
  private let decoder: EventDecoder

  init() throws {
    schema = try EventSchema(labels: ["T/trigger", "T/a", "T/b", "U/trigger", "U/a", "V/a", "V/b"])
    decoder = EventDecoder(schema: schema)
  }

  /// A span in a role of a type; -1 is no label, and an index out of range ends the test.
  private func node(_ type: Int, _ role: Int, _ range: Range<Int>, _ score: Float = 1) -> LabelledSpan {
    let label = schema.labels.firstIndex { $0.type == type && $0.role == role } ?? -1
    return LabelledSpan(label: label, range: range, score: score)
  }

  private func hits(_ pairs: (Int, Int)...) -> [SpanLink] {
    pairs.map { SpanLink(first: $0.0, second: $0.1, predicate: 0, score: 1) }
  }

  private func with(_ change: (inout EventDecoder.Options) -> Void) -> EventDecoder {
    var options = EventDecoder.Options()
    change(&options)
    return EventDecoder(schema: schema, options: options)
  }

  @Test func anArgumentIsSharedByEventsThatAreNotLinked() {
    let nodes = [node(0, 0, 0..<1), node(0, 0, 4..<5), node(0, 1, 2..<3), node(0, 2, 6..<7)]
    let result = decoder.decode(nodes, links: hits((0, 2), (2, 1), (3, 1), (3, 2)))
    #expect(result.events == [DecodedEvent(type: 0, nodes: [0, 2]), DecodedEvent(type: 0, nodes: [2, 1, 3])])
    #expect(!result.isTruncated)
  }

  @Test func typesAreKeptApart() {
    let nodes = [node(1, 0, 0..<1), node(0, 0, 0..<1), node(1, 1, 2..<3), node(0, 1, 2..<3)]
    let result = decoder.decode(nodes, links: hits((0, 2), (1, 3), (0, 3), (0, 1)))
    #expect(result.events == [DecodedEvent(type: 0, nodes: [1, 3]), DecodedEvent(type: 1, nodes: [0, 2])])
  }

  @Test func eventsWithoutATriggerAreDroppedUnlessTheirTypeHasNone() {
    let nodes = [node(0, 1, 0..<1), node(0, 0, 3..<4), node(2, 1, 5..<6), node(2, 2, 7..<8)]
    #expect(
      decoder.decode(nodes, links: hits((2, 3))).events == [
        DecodedEvent(type: 0, nodes: [1]), DecodedEvent(type: 2, nodes: [2, 3]),
      ])
    #expect(
      with { $0.requiresTrigger = false }.decode(nodes, links: hits((2, 3))).events == [
        DecodedEvent(type: 0, nodes: [0]), DecodedEvent(type: 0, nodes: [1]), DecodedEvent(type: 2, nodes: [2, 3]),
      ])
  }

  @Test func aRepeatedNodeIsOneWithTheLinksOfAll() {
    let nodes = [node(0, 0, 0..<1), node(0, 1, 2..<3, 1), node(0, 1, 2..<3, 4), node(0, 2, 5..<6)]
    let result = decoder.decode(nodes, links: hits((0, 1), (3, 2), (0, 3)))
    #expect(result.events == [DecodedEvent(type: 0, nodes: [0, 2, 3])])
  }

  @Test func cellsLinkWhatTheirHeadsAndTailsLink() {
    // The argument encloses the trigger: heads stand in one order, tails in the other.
    let nodes = [node(0, 0, 4..<6), node(0, 1, 2..<9), node(0, 2, 0..<1)]
    let heads = [cell(2, 4), cell(0, 4), cell(0, 2)]
    let tails = [cell(5, 8), cell(0, 5)]
    let result = decoder.decode(nodes, heads: heads, tails: tails)
    #expect(result.events == [DecodedEvent(type: 0, nodes: [2, 0]), DecodedEvent(type: 0, nodes: [1, 0])])
    // A cell below the diagonal is none.
    #expect(decoder.decode(nodes, heads: [cell(4, 2)], tails: [cell(5, 8)]).events.map(\.nodes) == [[0]])
  }

  @Test(arguments: 1...40) func bothRoutesEndInTheSameEvents(seed: Int) {
    var random = SeededGenerator(UInt64(seed))
    let nodes = (0..<14).map { _ in
      let start = Int.random(in: 0..<6, using: &random)
      return LabelledSpan(
        label: Int.random(in: 0..<schema.labels.count, using: &random),
        range: start..<start + Int.random(in: 1...3, using: &random), score: Float.random(in: 0..<1, using: &random))
    }
    let cells = { (count: Int) in
      (0..<9).flatMap { row in (row..<9).map { cell(row, $0) } }.shuffled(using: &random).prefix(count)
    }
    let (heads, tails) = (cells(25), cells(25))
    let places = { (cells: ArraySlice<PairCell>) in Set(cells.map { [$0.row, $0.column] }) }
    let (headPlaces, tailPlaces) = (places(heads), places(tails))
    var pairs: [SpanLink] = []
    for (i, a) in nodes.map(\.range).enumerated() {
      for (j, b) in nodes.map(\.range).enumerated() where i != j {
        let head = [a.lowerBound, b.lowerBound].sorted()
        let tail = [a.upperBound - 1, b.upperBound - 1].sorted()
        if headPlaces.contains(head), tailPlaces.contains(tail) {
          pairs.append(SpanLink(first: i, second: j, predicate: 0, score: 1))
        }
      }
    }
    for maximumNodes in [3, 100] {
      let decoder = with {
        $0.requiresTrigger = false
        $0.maximumNodes = maximumNodes
      }
      let fromCells = decoder.decode(nodes, heads: heads, tails: tails)
      let fromPairs = decoder.decode(nodes, links: pairs)
      #expect(fromCells == fromPairs, "seed \(seed)")
      #expect(!fromCells.events.isEmpty)
    }
  }

  @Test func eventsThatSayLessThanAnotherAreDroppedIfAskedFor() {
    // "Ann married Bob. Ann married in May. Ann married Bob." and a trigger without arguments.
    let nodes = [
      node(0, 0, 1..<2), node(0, 1, 0..<1), node(0, 1, 2..<3),
      node(0, 0, 5..<6), node(0, 1, 4..<5), node(0, 2, 7..<8),
      node(0, 0, 10..<11), node(0, 1, 9..<10), node(0, 1, 11..<12),
      node(0, 0, 20..<21), node(1, 0, 20..<21),
    ]
    let texts = ["married", "Ann", "Bob", "married", "Ann", "May", "married", "Ann", "Bob", "wedding", "wedding"]
    let links = hits((0, 1), (0, 2), (1, 2), (3, 4), (3, 5), (4, 5), (6, 7), (6, 8), (7, 8))
    #expect(decoder.decode(nodes, links: links, texts: texts).events.count == 5)
    let reduced = with { $0.dropsSubsets = true }
    #expect(
      reduced.decode(nodes, links: links, texts: texts).events == [
        DecodedEvent(type: 0, nodes: [1, 0, 2]), DecodedEvent(type: 0, nodes: [4, 3, 5]),
        DecodedEvent(type: 1, nodes: [10]),
      ])
    // Without texts an argument in another place is another argument; only the bare trigger says nothing.
    #expect(reduced.decode(nodes, links: links).events.count == 4)
    // A role is part of what is said.
    let roles = [node(0, 0, 0..<1), node(0, 1, 2..<3), node(0, 0, 4..<5), node(0, 2, 6..<7)]
    let sameText = ["t", "x", "t", "x"]
    #expect(reduced.decode(roles, links: hits((0, 1), (2, 3)), texts: sameText).events.count == 2)
  }

  @Test func ofTooManyNodesTheStrongestOfEachTypeStay() {
    let nodes = [
      node(0, 0, 6..<7, 1), node(0, 0, 4..<5, 1), node(0, 0, 2..<3, 9), node(0, 0, 1..<2, 0.5), node(1, 0, 0..<1, 0.1),
    ]
    let result = with { $0.maximumNodes = 2 }.decode(nodes, links: [])
    #expect(result.events.map(\.nodes) == [[2], [1], [4]])
    #expect(result.isTruncated)
    #expect(!with { $0.maximumNodes = 4 }.decode(nodes, links: []).isTruncated)
  }

  @Test func boundsEndTheSearchAndLeaveWorkForEveryType() {
    // Type 0 has 3^20 cliques, type 1 one.
    var nodes = (0..<60).map { node(0, 0, $0..<$0 + 1) }
    nodes += [node(1, 0, 0..<1), node(1, 1, 1..<2)]
    var links = hits((60, 61))
    for a in 0..<60 {
      for b in 0..<a where a / 3 != b / 3 { links.append(SpanLink(first: a, second: b, predicate: 0, score: 1)) }
    }
    let arguments = with { $0.maximumArguments = 415 }
    let work = with {
      $0.maximumEvents = .max
      $0.maximumArguments = .max
      $0.workLimit = 400_000
    }
    for decoder in [with { $0.maximumEvents = 40 }, arguments, work, decoder] {
      let result = decoder.decode(nodes, links: links)
      #expect(result.isTruncated)
      #expect(result.events.last == DecodedEvent(type: 1, nodes: [60, 61]))
      #expect(result.events.count > 10)
      #expect(result.events.count <= decoder.options.maximumEvents)
      #expect(result.events.reduce(0) { $0 + $1.nodes.count } <= decoder.options.maximumArguments)
      #expect(decoder.decode(nodes, links: links.reversed()) == result)
    }
    // Twenty events of twenty arguments, one of two, and room for a part of another.
    #expect(arguments.decode(nodes, links: links).events.count == 21)
    #expect(arguments.decode(nodes, links: links, windows: 3).events.count == 63)
  }

  /// What a bound leaves are the strongest of all events, each as strong as its weakest argument.
  @Test(arguments: 1...40) func ofTooManyEventsTheStrongestStay(seed: Int) {
    var random = SeededGenerator(UInt64(seed))
    let nodes = (0..<40).map { place in
      LabelledSpan(
        label: Int.random(in: 0..<schema.labels.count, using: &random), range: place..<place + 1,
        score: Float.random(in: -1..<1, using: &random))
    }
    var links: [SpanLink] = []
    for a in 0..<40 {
      for b in 0..<a where Int.random(in: 0..<10, using: &random) < 7 {
        links.append(SpanLink(first: b, second: a, predicate: 0, score: 1))
      }
    }
    func strength(_ event: DecodedEvent) -> Float { event.nodes.map { nodes[$0].score }.min() ?? .infinity }
    for requiresTrigger in [false, true] {
      let all = with { $0.requiresTrigger = requiresTrigger }.decode(nodes, links: links)
      #expect(!all.isTruncated && all.events.count > 5)
      let bounded = with {
        $0.requiresTrigger = requiresTrigger
        $0.maximumEvents = all.events.count / 2
      }.decode(nodes, links: links.shuffled(using: &random))
      #expect(bounded.isTruncated && bounded.events.count == all.events.count / 2)
      // In the same order, and nothing that was left out is stronger than what stayed.
      #expect(bounded.events == all.events.filter(Set(bounded.events).contains))
      let left = all.events.filter { !bounded.events.contains($0) }.map(strength).max() ?? .infinity
      #expect(left <= bounded.events.map(strength).min() ?? -.infinity)
      let justEnough = with {
        $0.requiresTrigger = requiresTrigger
        $0.maximumEvents = all.events.count
      }.decode(nodes, links: links)
      #expect(justEnough == all)
    }
  }

  /// Windows in which each span is linked to all near it: as much is kept of each, however many there are.
  @Test func aLongTextOfLinksIsDecodedWindowByWindow() {
    let windows = 30
    let nodes = (0..<64 * windows).map { node(0, $0 % 3, $0..<$0 + 1, Float($0 * 7919 % 1000)) }
    var links: [SpanLink] = []
    for a in nodes.indices {
      for b in a + 1..<min(nodes.count, a + 64) where a / 3 != b / 3 {
        links.append(SpanLink(first: a, second: b, predicate: 0, score: 1))
      }
    }
    let result = decoder.decode(nodes, links: links, windows: windows)
    #expect(result.isTruncated)
    let arguments = result.events.reduce(0) { $0 + $1.nodes.count }
    #expect(arguments <= 4096 * windows && arguments > 4000 * windows)
    #expect(decoder.decode(nodes, links: links.reversed(), windows: windows) == result)
  }

  @Test(arguments: 1...20) func subsetsAreThoseOfComparingAll(seed: Int) {
    var random = SeededGenerator(UInt64(seed))
    var (nodes, texts, links): ([LabelledSpan], [String], [SpanLink]) = ([], [], [])
    for event in 0..<30 {
      let first = nodes.count
      for place in 0..<Int.random(in: 1...4, using: &random) {
        nodes.append(node(0, Int.random(in: 0..<3, using: &random), 10 * event + place..<10 * event + place + 1))
        texts.append(["a", "b", "c"].randomElement(using: &random) ?? "a")
        for other in first..<nodes.count - 1 {
          links.append(SpanLink(first: other, second: nodes.count - 1, predicate: 0, score: 1))
        }
      }
    }
    let all = with { $0.requiresTrigger = false }.decode(nodes, links: links).events
    func said(_ event: DecodedEvent) -> Set<[String]> {
      Set(event.nodes.filter { !schema.isTrigger(nodes[$0]) }.map { ["\(nodes[$0].label)", texts[$0]] })
    }
    func hasTrigger(_ event: DecodedEvent) -> Bool { event.nodes.contains { schema.isTrigger(nodes[$0]) } }
    let expected = all.indices.filter { index in
      !all.indices.contains { other in
        let (less, more) = (said(all[index]), said(all[other]))
        return other != index && less.isSubset(of: more) && (less != more || other < index)
          && (hasTrigger(all[other]) || !hasTrigger(all[index]))
      }
    }.map { all[$0] }
    let reduced = with {
      $0.requiresTrigger = false
      $0.dropsSubsets = true
    }.decode(nodes, links: links, texts: texts)
    #expect(reduced.events == expected && !reduced.isTruncated)
  }

  /// Past the bound on comparisons events stay, and the result says that not all were compared.
  @Test func tooManySubsetsAreNotSought() {
    var random = SeededGenerator(1)
    var (nodes, texts, links): ([LabelledSpan], [String], [SpanLink]) = ([], [], [])
    for event in 0..<100 {
      let first = nodes.count
      for (place, text) in (0..<12).shuffled(using: &random).prefix(1 + event % 4).enumerated() {
        nodes.append(node(2, 1, 10 * event + place..<10 * event + place + 1))
        texts.append("\(text)")
        for other in first..<nodes.count - 1 {
          links.append(SpanLink(first: other, second: nodes.count - 1, predicate: 0, score: 1))
        }
      }
    }
    let all = decoder.decode(nodes, links: links, windows: 100)
    #expect(!all.isTruncated && all.events.count == 100)
    let exact = with { $0.dropsSubsets = true }.decode(nodes, links: links, texts: texts, windows: 100)
    let bounded = with {
      $0.dropsSubsets = true
      $0.maximumEvents = 1
      $0.maximumArguments = 3
    }.decode(nodes, links: links, texts: texts, windows: 100)
    #expect(!exact.isTruncated && bounded.isTruncated)
    #expect(exact.events.count < bounded.events.count && bounded.events.count < 100)
    #expect(Set(exact.events).isSubset(of: bounded.events))
  }

  /// Two hundred matches one after the other, each with a winner and a loser: as many events, however long the text.
  @Test func aLongTextKeepsItsEvents() {
    var nodes: [LabelledSpan] = []
    var links: [SpanLink] = []
    for match in 0..<2000 {
      let first = nodes.count
      nodes += [node(0, 0, 9 * match..<9 * match + 1), node(0, 1, 9 * match + 3..<9 * match + 5)]
      links.append(SpanLink(first: first, second: first + 1, predicate: 0, score: 1))
    }
    let usual = decoder.decode(nodes, links: links)
    #expect(usual.isTruncated && usual.events.count < 2000)
    let result = decoder.decode(nodes, links: links, windows: 40)
    #expect(!result.isTruncated && result.events.map(\.nodes) == (0..<2000).map { [2 * $0, 2 * $0 + 1] })
  }

  /// What has a trigger stays beside what says more without one.
  @Test func subsetsAreSoughtAmongEventsWithTriggers() {
    let nodes = [node(0, 0, 1..<2), node(0, 1, 3..<4), node(0, 2, 5..<6)]
    let links = hits((0, 1), (1, 2))
    let decoder = with {
      $0.requiresTrigger = false
      $0.dropsSubsets = true
    }
    #expect(decoder.decode(nodes, links: links).events.map(\.nodes) == [[0, 1], [1, 2]])
  }

  @Test func nothingGivesNothing() {
    let result = decoder.decode([], heads: [], tails: [])
    #expect(result.events.isEmpty)
    #expect(!result.isTruncated)
  }

  @Test func anEventInWordsNamesTypeRolesAndPlaces() {
    let text = "😀 张三去世"
    let nodes = [node(0, 0, 4..<6, 2), node(0, 1, 2..<4, 0)]
    let event = LinkedText(text).event(DecodedEvent(type: 0, nodes: [1, 0]), among: nodes, schema)
    #expect(event.type == "T")
    #expect(event.arguments.map(\.role) == ["a", "trigger"])
    #expect(event.arguments.map(\.text) == ["张三", "去世"])
    #expect(event.arguments.map(\.codePoints) == [2..<4, 4..<6])
    #expect(event.arguments.map { String(text[$0.range]) } == ["张三", "去世"])
    #expect(event.arguments.map(\.score) == [0, 2])
    #expect(event.arguments[0].probability == 0.5)
    #expect(abs(event.arguments[1].probability - 0.98201379) < 1e-6)
    #expect(event.trigger == event.arguments[1])
  }

  private func cell(_ row: Int, _ column: Int) -> PairCell { PairCell(matrix: 0, row: row, column: column, score: 1) }
}
