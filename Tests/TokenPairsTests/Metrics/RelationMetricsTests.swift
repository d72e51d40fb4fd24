import Testing

@testable import TokenPairs

@Suite struct RelationMetricsTests {
  private func key(_ subject: Range<Int>, _ predicate: String, _ object: Range<Int>) -> RelationKey {
    RelationKey(subject: subject, predicate: predicate, object: object)
  }

  @Test func nothingScoresZero() {
    let metrics = RelationMetrics()
    #expect(metrics.micro == MatchCounts())
    #expect(metrics.micro.f1 == 0)
    #expect(metrics.perPredicate.isEmpty)
  }

  @Test func bothEndsAndThePredicateMustBeRight() {
    var metrics = RelationMetrics()
    metrics.add(
      predicted: [
        key(0..<2, "Kill", 4..<5), key(0..<2, "Live_In", 7..<9), key(0..<1, "Kill", 4..<5), key(4..<5, "Kill", 0..<2),
        key(0..<2, "Kill", 4..<6),
      ],
      gold: [key(0..<2, "Kill", 4..<5), key(0..<2, "Work_For", 7..<9)])
    #expect(metrics.micro.predicted == 5)
    #expect(metrics.micro.gold == 2)
    #expect(metrics.micro.correct == 1)
    #expect(metrics.micro.f1 == 2.0 / 7)
  }

  @Test func countsAddUpOverDocumentsAndPredicates() {
    var metrics = RelationMetrics()
    metrics.add(predicted: [key(0..<1, "Kill", 2..<3)], gold: [key(0..<1, "Kill", 2..<3)])
    // The same triple of another document is another triple.
    metrics.add(
      predicted: [key(0..<1, "Kill", 2..<3), key(0..<1, "Live_In", 5..<6)],
      gold: [key(0..<1, "Live_In", 5..<6), key(1..<2, "Live_In", 5..<6), key(3..<4, "Work_For", 5..<6)])
    #expect(metrics.micro.precision == 2.0 / 3)
    #expect(metrics.micro.recall == 2.0 / 4)
    #expect(metrics.micro.f1 == 4.0 / 7)
    #expect(metrics.perPredicate.keys.sorted() == ["Kill", "Live_In", "Work_For"])
    #expect(metrics.perPredicate["Kill"]?.precision == 0.5)
    #expect(metrics.perPredicate["Kill"]?.recall == 1)
    #expect(metrics.perPredicate["Live_In"]?.f1 == 2.0 / 3)
    #expect(metrics.perPredicate["Work_For"]?.gold == 1)
  }
}
