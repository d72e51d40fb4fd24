import Engine
import ModelFiles
import Testing

@testable import TokenPairs

/// What a model without fault would find, made of aligned labels, has to decode into the gold they were made from.
@Suite struct AlignedGoldTests {
  private struct Line: Decodable {
    struct Span: Decodable { let start, end: Int }
    struct Entity: Decodable {
      let start, end: Int
      let label: String
    }
    struct Triple: Decodable {
      let subject, object: Span
      let predicate: String
    }
    struct Argument: Decodable {
      let role: String
      let start, end: Int
    }
    struct Event: Decodable {
      let type: String
      let arguments: [Argument]
    }

    let text: String
    let entities: [Entity]?
    let triples: [Triple]?
    let events: [Event]?

    var document: TrainingDocument {
      if let entities {
        return TrainingDocument(
          text: text, gold: .entities(Set(entities.map { .init(range: $0.start..<$0.end, label: $0.label) })))
      }
      if let triples {
        return TrainingDocument(
          text: text,
          gold: .relations(
            Set(
              triples.map {
                RelationKey(
                  subject: $0.subject.start..<$0.subject.end, predicate: $0.predicate,
                  object: $0.object.start..<$0.object.end)
              })))
      }
      let scalars = Array(text.unicodeScalars)
      return TrainingDocument(
        text: text,
        gold: .events(
          (events ?? []).map { event in
            EventKey(
              type: event.type,
              arguments: event.arguments.map {
                EventArgumentKey(
                  role: $0.role, range: $0.start..<$0.end,
                  text: String(String.UnicodeScalarView(scalars[$0.start..<$0.end])))
              })
          }))
    }
  }

  private static let sets: [(task: ModelTask, data: String, model: String)] = [
    (.entities, "data/litbank/dev.jsonl", "models/litbank-minilm"),
    (.relations, "data/conll04/dev.jsonl", "models/conll04-relations"),
    (.events, "data/duee/dev.jsonl", "models/duee-events"),
  ]

  @Test(
    .enabled(if: Places.hasShared("data/duee/dev.jsonl", "models/duee-events"), "needs ../shared"),
    arguments: [(254, 128), (40, 20)], sets.indices)
  func perfectFindingsGiveTheGold(window: (capacity: Int, overlap: Int), index: Int) throws {
    let (task, data, model) = Self.sets[index]
    let documents = try Places.lines(Places.inShared(data), as: Line.self).map(\.document)
    let inventory = try LabelInventory(of: documents, task: task)
    let reader = WindowReader(
      tokenizer: try WordPieceTokenizer(directory: Places.inShared(model)), capacity: window.capacity,
      overlap: window.overlap)
    let aligner = LabelAligner(reader: reader, inventory: inventory)
    let schema = task == .events ? try EventSchema(labels: inventory.labels) : nil
    let rule = LinkRule(links: inventory.links, schema: schema, triangular: false)
    let assembler = DocumentAssembler(
      labels: inventory.labels, links: inventory.links, schema: schema, .init(requiresTrigger: false))
    var whole = 0
    for (number, document) in documents.enumerated() {
      let (windows, report) = aligner.windows(of: [document])
      // Of what could not be placed nothing can be found.
      guard report.placedSpans == report.spans, report.placedLinks == report.links else { continue }
      whole += 1
      let findings = windows.map { Self.findings($0.labels, rule) }
      let found = assembler.document(reader.read(document.text), index: number, findings)
      var evaluation = Evaluation(task)
      evaluation.add(found, gold: document.gold)
      let total = evaluation.total
      if case .events(let events) = document.gold {
        // Links are pairs, so events that share arguments can join; their arguments stay.
        #expect(total.correct == total.gold && total.predicted == total.gold, "\(number): \(events)")
      } else if case .relations = document.gold {
        // Two relations can give a third one its cells.
        #expect(total.correct == total.gold, "\(number)")
      } else {
        #expect(total.correct == total.gold && total.predicted == total.gold, "\(number)")
      }
    }
    let share = window.capacity > 100 ? 0.9 : 0.6
    #expect(Double(whole) > share * Double(documents.count), "\(whole) of \(documents.count)")
  }

  private static func findings(_ labels: WindowLabels, _ rule: LinkRule?) -> WindowFindings {
    var findings = WindowFindings()
    findings.spans = labels.spans.map { LabelledSpan(label: $0.type, range: $0.row..<$0.column + 1, score: 1) }
    guard let rule else { return findings }
    let (head, tail) = (Set(labels.head), Set(labels.tail))
    for pair in rule.pairs(among: findings.spans).pairs {
      let cells = rule.direction.cells(findings.spans[pair.first].range, findings.spans[pair.second].range)
      for link in Set(labels.head.map(\.type)).sorted()
      where head.contains(.init(link, cells.head.row, cells.head.column))
        && tail.contains(.init(link, cells.tail.row, cells.tail.column))
      {
        findings.links.append(SpanLink(first: pair.first, second: pair.second, predicate: link, score: 1))
      }
    }
    return findings
  }
}
