import Foundation
import TokenPairs

/// An evaluation for people and for programs.
struct EvaluationReport {
  /// A row of numbers.
  private struct Row {
    let name: String
    let shares: [(name: String, value: Double)]
    let counts: [(name: String, value: Int)]

    init(_ name: String, _ counts: MatchCounts) {
      self.name = name
      shares = [("precision", counts.precision), ("recall", counts.recall), ("f1", counts.f1)]
      self.counts = [("predicted", counts.predicted), ("gold", counts.gold), ("correct", counts.correct)]
    }

    init(_ name: String, _ words: WordLevelScore) {
      self.name = name
      shares = [("precision", words.precision), ("recall", words.recall), ("f1", words.f1), ("score", words.sum)]
      counts = [("predicted", words.predicted), ("gold", words.gold)]
    }
  }

  /// What a row of the first kind is: a label, a predicate, an event type.
  private let noun: String
  private let details: [Row]
  private let totals: [Row]

  init(_ evaluation: Evaluation) {
    func rows(_ counts: [String: MatchCounts]) -> [Row] { counts.sorted { $0.key < $1.key }.map { Row($0, $1) } }
    switch evaluation {
    case .entities(let metrics):
      (noun, details, totals) = ("label", rows(metrics.perLabel), [Row("micro", metrics.micro)])
    case .relations(let metrics):
      (noun, details, totals) = ("predicate", rows(metrics.perPredicate), [Row("micro", metrics.micro)])
    case .events(let metrics):
      (noun, details) = ("type", rows(metrics.eventsPerType))
      totals = [Row("events", metrics.events), Row("arguments", metrics.arguments), Row("words", metrics.words)]
    }
  }

  /// Rows under a heading, the totals below a rule.
  func table(on terminal: Terminal) -> String {
    var table = TextTable([
      .text(noun), .number("precision"), .number("recall"), .number("F1"), .number("predicted"), .number("gold"),
      .number("correct"),
    ])
    func cells(_ row: Row) -> [String] {
      let counts = row.counts.map { "\($0.value)" }
      // The word level's sum is no whole number of items.
      let sum = row.shares.dropFirst(3).map { String(format: "%.1f", $0.value) }
      return [row.name] + row.shares.prefix(3).map { String(format: "%.4f", $0.value) } + counts + sum
    }
    for row in details { table.addRow(cells(row)) }
    table.addRule()
    for row in totals { table.addRow(cells(row)) }
    return table.render(on: terminal)
  }

  /// One object: the totals by name, then the details under the plural of what they are.
  var json: String {
    var writer = JSONWriter()
    func object(_ row: Row) {
      writer.name(row.name)
      writer.beginObject()
      for (name, value) in row.shares {
        writer.name(name)
        writer.number(value)
      }
      for (name, value) in row.counts {
        writer.name(name)
        writer.integer(value)
      }
      writer.endObject()
    }
    writer.beginObject()
    for row in totals { object(row) }
    writer.name(noun + "s")
    writer.beginObject()
    for row in details { object(row) }
    writer.endObject()
    writer.endObject()
    writer.newline()
    return writer.string
  }
}
