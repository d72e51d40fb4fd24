import Engine
import Testing

@testable import TokenPairs

@Suite struct RelationDecoderTests {
  private func span(_ range: Range<Int>, _ score: Float = 1) -> LabelledSpan {
    LabelledSpan(label: 0, range: range, score: score)
  }

  private func hit(_ first: Int, _ second: Int, _ predicate: Int, _ score: Float) -> SpanLink {
    SpanLink(first: first, second: second, predicate: predicate, score: score)
  }

  /// The definition on dense matrices, every triple looked at.
  @Test(arguments: 1...60) func listsGiveWhatDenseMatricesGive(seed: Int) {
    var random = SeededGenerator(UInt64(seed))
    let (tokens, predicates, threshold) = (8, 3, Float(0.2))
    let matrix = tokens * tokens
    let (head, tail) = (random.floats(predicates * matrix), random.floats(predicates * matrix))
    let cells = { (scores: [Float]) in
      scores.indices.filter { scores[$0] > threshold }.shuffled(using: &random).map {
        PairCell(matrix: $0 / matrix, row: $0 % matrix / tokens, column: $0 % tokens, score: scores[$0])
      }
    }
    let (headCells, tailCells) = (cells(head), cells(tail))
    let spans = (0..<tokens).flatMap { a in (a + 1...tokens).map { a..<$0 } }
    let draw = { (count: Int) in spans.shuffled(using: &random).prefix(count).map { span($0) } }
    let (subjects, objects) = (draw(7), draw(9))

    var expected: [String] = []
    for subject in subjects.map(\.range) {
      for object in objects.map(\.range) {
        for p in 0..<predicates {
          let h = head[p * matrix + subject.lowerBound * tokens + object.lowerBound]
          let t = tail[p * matrix + (subject.upperBound - 1) * tokens + object.upperBound - 1]
          if h > threshold, t > threshold { expected.append("\(subject) \(p) \(object) \(min(h, t))") }
        }
      }
    }
    let result = RelationDecoder().decode(subjects: subjects, objects: objects, heads: headCells, tails: tailCells)
    let found = result.relations.map {
      "\(subjects[$0.first].range) \($0.predicate) \(objects[$0.second].range) \($0.score)"
    }
    #expect(!result.isTruncated)
    // Spans of one digit: the text's order is the order of places.
    #expect(found == expected.sorted(), "seed \(seed)")
    #expect(!expected.isEmpty)
  }

  @Test func relationsComeBySubjectPredicateObject() {
    let subjects = [span(6..<7), span(0..<2), span(0..<1)]
    let objects = [span(4..<5), span(3..<4)]
    let hits = [hit(0, 0, 0, 1), hit(1, 0, 1, 2), hit(1, 0, 0, 3), hit(1, 1, 1, 4), hit(2, 0, 5, 5)]
    let result = RelationDecoder().decode(hits, subjects: subjects, objects: objects)
    #expect(result.relations.map(\.score) == [5, 3, 4, 2, 1])
  }

  @Test func ofRepeatedSpansAndRelationsTheHighestScoreStays() {
    let subjects = [span(0..<2, 1), span(0..<2, 5), span(0..<2, 5)]
    let objects = [span(4..<5, 2), span(4..<5, 1)]
    let hits = [hit(0, 0, 1, 3), hit(1, 1, 1, 7), hit(2, 0, 1, 4)]
    let result = RelationDecoder().decode(hits, subjects: subjects, objects: objects)
    #expect(result.relations == [SpanLink(first: 1, second: 0, predicate: 1, score: 7)])
    #expect(!result.isTruncated)
  }

  @Test func ofTooManySpansTheStrongestAreJoined() {
    var options = RelationDecoder.Options()
    options.maximumSpans = 2
    let decoder = RelationDecoder(options)
    let subjects = [span(5..<6, 1), span(3..<4, 9), span(2..<3, 1), span(8..<9, 0.5)]
    let objects = [span(0..<1)]
    let hits = (0..<4).map { hit($0, 0, 0, Float($0)) }
    let result = decoder.decode(hits, subjects: subjects, objects: objects)
    // The second by score, and of the equals the one that stands first in the text.
    #expect(result.relations.map(\.first) == [2, 1])
    #expect(result.isTruncated)
    let cells = subjects.map { PairCell(matrix: 0, row: $0.range.lowerBound, column: 0, score: 1) }
    let joined = decoder.decode(subjects: subjects, objects: objects, heads: cells, tails: cells)
    #expect(joined.relations.map(\.first) == [2, 1])
    #expect(joined.isTruncated)
    // Repeats are not too many.
    let repeated = decoder.decode([], subjects: [subjects[0], subjects[0], subjects[1]], objects: objects)
    #expect(!repeated.isTruncated)
  }

  @Test func ofTooManyRelationsTheStrongestStay() {
    var options = RelationDecoder.Options()
    options.maximumRelations = 2
    let hits = [hit(0, 0, 3, 1), hit(0, 0, 1, 2), hit(0, 0, 2, 2), hit(0, 0, 0, 2)]
    let result = RelationDecoder(options).decode(hits, subjects: [span(0..<1)], objects: [span(0..<1)])
    #expect(result.relations.map(\.predicate) == [0, 1])
    #expect(result.isTruncated)
    options.maximumRelations = 4
    #expect(!RelationDecoder(options).decode(hits, subjects: [span(0..<1)], objects: [span(0..<1)]).isTruncated)
  }

  @Test func nothingGivesNothing() {
    let result = RelationDecoder().decode(subjects: [], objects: [], heads: [], tails: [])
    #expect(result.relations.isEmpty)
    #expect(!result.isTruncated)
  }

  @Test func aRelationInWordsCountsCodePoints() {
    let text = "e\u{301}a 😀 in Rome"
    let relation = LinkedText(text).relation(
      SpanLink(first: 0, second: 1, predicate: 1, score: 2), among: [span(4..<5, 3), span(9..<13, 4)],
      labels: ["subject", "object"], predicates: ["A", "Live_In"])
    #expect(relation.predicate == "Live_In")
    #expect(relation.score == 2)
    #expect(relation.subject.text == "😀")
    #expect(relation.subject.label == "subject")
    #expect(relation.object.text == "Rome")
    #expect(relation.object.codePoints == 9..<13)
    #expect(text[relation.object.range] == "Rome")
    #expect(relation.object.score == 4)
  }
}
