import Engine
import Testing

@testable import TokenPairs

/// Score lists built from gold, a code point being a token, have to give the gold back.
@Suite struct GoldRoundTripTests {
  private static let events = "data/duee/dev.jsonl"
  private static let relations = "data/conll04/dev.jsonl"

  private struct EventDocument: Decodable {
    struct Argument: Decodable {
      let role: String
      let start: Int
      let end: Int
    }

    struct Event: Decodable {
      let type: String
      let arguments: [Argument]
    }

    let id: String
    let events: [Event]
  }

  private struct RelationDocument: Decodable {
    struct End: Decodable {
      let start: Int
      let end: Int
    }

    struct Triple: Decodable {
      let subject: End
      let predicate: String
      let object: End
    }

    let id: String
    let triples: [Triple]
  }

  /// An event as a type and the set of its arguments.
  private struct EventSet: Hashable {
    struct Argument: Hashable {
      let role: String
      let span: Range<Int>
    }

    let type: String
    let arguments: Set<Argument>
  }

  private func gold(_ document: EventDocument) -> Set<EventSet> {
    Set(
      document.events.map { event in
        EventSet(
          type: event.type,
          arguments: Set(event.arguments.map { EventSet.Argument(role: $0.role, span: $0.start..<$0.end) }))
      })
  }

  private func cell(_ row: Int, _ column: Int) -> PairCell { PairCell(matrix: 0, row: row, column: column, score: 1) }

  /// What a model without fault would score, decoded: all roles of all events as nodes, all pairs of an event's
  /// arguments as links.
  private func decoded(_ document: EventDocument, _ schema: EventSchema, _ labels: [String]) throws -> Set<EventSet> {
    var nodes: [LabelledSpan] = []
    var heads: Set<PairCell> = []
    var tails: Set<PairCell> = []
    for event in document.events {
      for (i, a) in event.arguments.enumerated() {
        let label = try #require(labels.firstIndex(of: "\(event.type)/\(a.role)"))
        nodes.append(LabelledSpan(label: label, range: a.start..<a.end, score: 1))
        for b in event.arguments.dropFirst(i + 1) {
          heads.insert(cell(min(a.start, b.start), max(a.start, b.start)))
          tails.insert(cell(min(a.end, b.end) - 1, max(a.end, b.end) - 1))
        }
      }
    }
    let result = EventDecoder(schema: schema).decode(nodes, heads: heads, tails: tails)
    #expect(!result.isTruncated)
    let events = Set(
      result.events.map { event in
        let arguments = event.nodes.map { node in
          EventSet.Argument(role: schema.roles[schema.labels[nodes[node].label].role], span: nodes[node].range)
        }
        return EventSet(type: schema.types[event.type], arguments: Set(arguments))
      })
    #expect(events.count == result.events.count, "\(document.id): an event twice")
    return events
  }

  /// Links join spans, not roles. Where one span has two roles of one type in two events, each event's other arguments
  /// are linked to the span in both roles, and a clique forms around the role that was not meant. Eleven of the 1,498
  /// documents have that, mostly a team that won and lost: 胜者 in one event, 败者 in the next. (Two more have a span
  /// with two roles in a single event. Those come back, for the links of all pairs were meant.)
  private static let oneSpanWithTwoRoles: Set<String> = [
    "190935103eec66a5c055c8a8dbae57c1", "83db0b29e3fd8f476623ab098268ea53", "4fa0cec021f95f21542dedeff5afc386",
    "ccd6dbbae8cd35d34a9a99fa96605074", "d21550ac3b23b58aa17667c0416e790e", "6cd316bb3f0ba65c7f41a566dce8b569",
    "0fd73948dcac935587d653c62d75897b", "f1018bc5f25e840db5cca0d39d89f199", "73426f5c294355576f9da75c1c3ec9a6",
    "8f073567c78d118f471b0178f9b757fe", "7ecdbcc076f0103fa150bca3d4f01e61",
  ]
  /// Nor do links know types. The winners of two matches are champions in one event: linked there, linked everywhere.
  /// Winners without a trigger form a clique, which is dropped for having none.
  private static let linkedByAnotherType = "03f5b1159e8ee26811d1177f19273b1c"

  @Test(.enabled(if: Places.hasShared(events), "needs ../shared"))
  func everyGoldEventComesBack() throws {
    let documents = try Places.lines(Places.inShared(Self.events), as: EventDocument.self)
    #expect(documents.count == 1498)
    let labels = Set(
      documents.flatMap(\.events).flatMap { event in event.arguments.map { "\(event.type)/\($0.role)" } }
    )
    .sorted()
    let schema = try EventSchema(labels: labels)
    var others: Set<String> = []
    for document in documents {
      let (gold, decoded) = (gold(document), try decoded(document, schema, labels))
      #expect(gold.isSubset(of: decoded), "\(document.id): a gold event is lost")
      if gold != decoded { others.insert(document.id) }
    }
    #expect(others == Self.oneSpanWithTwoRoles)
  }

  /// Why those documents come back with more: found in the gold, without the decoder.
  @Test(.enabled(if: Places.hasShared(events), "needs ../shared"))
  func theOtherDocumentsHaveASpanWithTwoRolesInTwoEvents() throws {
    var found: Set<String> = []
    var inOneEvent: Set<String> = []
    for document in try Places.lines(Places.inShared(Self.events), as: EventDocument.self) {
      let events = Array(gold(document))
      for (i, a) in events.enumerated() {
        for b in events[i...] where a.type == b.type {
          let differs = a.arguments.contains { x in b.arguments.contains { $0.span == x.span && $0.role != x.role } }
          guard differs else { continue }
          if a == b { inOneEvent.insert(document.id) } else { found.insert(document.id) }
        }
      }
    }
    #expect(found == Self.oneSpanWithTwoRoles)
    #expect(inOneEvent.count == 2)
  }

  @Test(.enabled(if: Places.hasShared(events), "needs ../shared"))
  func linksOfOneTypeCountForAnother() throws {
    let documents = try Places.lines(Places.inShared(Self.events), as: EventDocument.self)
    let document = try #require(documents.first { $0.id == Self.linkedByAnotherType })
    let labels = Set(document.events.flatMap { event in event.arguments.map { "\(event.type)/\($0.role)" } }).sorted()
    let schema = try EventSchema(labels: labels)
    #expect(try decoded(document, schema, labels) == gold(document))
    // Without a trigger among the labels nothing is dropped, and the two winners stand there as an event.
    let untriggered = labels.map { $0.hasSuffix("/trigger") ? $0.replacing("/trigger", with: "/word") : $0 }
    let renamed = EventDocument(
      id: document.id,
      events: document.events.map { event in
        EventDocument.Event(
          type: event.type,
          arguments: event.arguments.map {
            .init(role: $0.role == "trigger" ? "word" : $0.role, start: $0.start, end: $0.end)
          })
      })
    let all = try decoded(renamed, EventSchema(labels: untriggered), untriggered)
    let extra = all.subtracting(gold(renamed))
    #expect(extra.count == 1)
    #expect(extra.first?.type == "竞赛行为-胜负")
    #expect(extra.first?.arguments.map(\.role).sorted() == ["胜者", "胜者", "赛事名称"])
  }

  @Test(.enabled(if: Places.hasShared(relations), "needs ../shared"))
  func everyGoldTripleComesBackAndNoOther() throws {
    let documents = try Places.lines(Places.inShared(Self.relations), as: RelationDocument.self)
    #expect(documents.count == 243)
    let predicates = Set(documents.flatMap(\.triples).map(\.predicate)).sorted()
    var count = 0
    for document in documents {
      var gold: Set<RelationKey> = []
      var cells: (heads: [PairCell], tails: [PairCell]) = ([], [])
      for triple in document.triples {
        let (subject, object) = (triple.subject, triple.object)
        gold.insert(
          RelationKey(
            subject: subject.start..<subject.end, predicate: triple.predicate, object: object.start..<object.end))
        let matrix = try #require(predicates.firstIndex(of: triple.predicate))
        cells.heads.append(PairCell(matrix: matrix, row: subject.start, column: object.start, score: 1))
        cells.tails.append(PairCell(matrix: matrix, row: subject.end - 1, column: object.end - 1, score: 1))
      }
      let subjects = document.triples.map { LabelledSpan(label: 0, range: $0.subject.start..<$0.subject.end, score: 1) }
      let objects = document.triples.map { LabelledSpan(label: 0, range: $0.object.start..<$0.object.end, score: 1) }
      let result = RelationDecoder().decode(
        subjects: subjects, objects: objects, heads: cells.heads, tails: cells.tails)
      let found = result.relations.map {
        RelationKey(
          subject: subjects[$0.first].range, predicate: predicates[$0.predicate], object: objects[$0.second].range)
      }
      #expect(Set(found) == gold, "\(document.id)")
      #expect(found.count == gold.count)
      #expect(!result.isTruncated)
      count += gold.count
    }
    #expect(count == 353)
  }
}
