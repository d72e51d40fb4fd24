import Testing

@testable import TokenPairs

@Suite struct EntityMetricsTests {
  private func key(_ start: Int, _ end: Int, _ label: String = "PER") -> EntityKey {
    EntityKey(range: start..<end, label: label)
  }

  @Test func nothingScoresZero() {
    let metrics = EntityMetrics()
    #expect(metrics.micro == MatchCounts())
    #expect(metrics.micro.f1 == 0)
    #expect(metrics.micro.precision == 0)
    #expect(metrics.micro.recall == 0)
    #expect(metrics.perLabel.isEmpty)
  }

  @Test func startEndAndLabelMustAllBeRight() {
    var metrics = EntityMetrics()
    metrics.add(
      predicted: [key(0, 3), key(5, 8), key(9, 12), key(20, 22)],
      gold: [key(0, 3), key(5, 9), key(8, 12), key(20, 22, "LOC")])
    #expect(metrics.micro.predicted == 4)
    #expect(metrics.micro.gold == 4)
    #expect(metrics.micro.correct == 1)
    #expect(metrics.micro.f1 == 0.25)
  }

  @Test func countsAddUpOverDocumentsBeforeTheyAreDivided() {
    var metrics = EntityMetrics()
    metrics.add(predicted: [key(0, 1)], gold: [key(0, 1)])
    metrics.add(
      predicted: [key(0, 1), key(2, 3)], gold: [key(2, 3), key(4, 5), key(6, 7), key(8, 9)])
    #expect(metrics.micro.precision == 2.0 / 3)
    #expect(metrics.micro.recall == 2.0 / 5)
    #expect(metrics.micro.f1 == 2 * 2.0 / 8)
  }

  @Test func labelsAreCountedEachForItself() {
    var metrics = EntityMetrics()
    metrics.add(
      predicted: [key(0, 1), key(0, 1, "LOC"), key(3, 4, "ORG")],
      gold: [key(0, 1), key(0, 1, "LOC"), key(5, 6, "LOC"), key(7, 8, "VEH")])
    #expect(metrics.perLabel.keys.sorted() == ["LOC", "ORG", "PER", "VEH"])
    #expect(metrics.perLabel["PER"]?.f1 == 1)
    #expect(metrics.perLabel["LOC"]?.recall == 0.5)
    #expect(metrics.perLabel["LOC"]?.precision == 1)
    #expect(metrics.perLabel["ORG"]?.predicted == 1)
    #expect(metrics.perLabel["ORG"]?.f1 == 0)
    #expect(metrics.perLabel["VEH"]?.gold == 1)
    #expect(metrics.micro.correct == 2)
  }

  @Test func nothingPredictedAndNothingGoldAreNotConfused() {
    var missed = EntityMetrics()
    missed.add(predicted: [], gold: [key(0, 1)])
    #expect(missed.micro.recall == 0)
    #expect(missed.micro.precision == 0)
    var invented = EntityMetrics()
    invented.add(predicted: [key(0, 1)], gold: [])
    #expect(invented.micro.precision == 0)
    #expect(invented.micro.f1 == 0)
  }

  @Test func probabilityIsThatOfTheLossTheModelWasTrainedWith() {
    for (score, probability) in [(0.0, 0.5), (0.5, 0.7310585786), (-1, 0.1192029220), (40, 1)] {
      let text = "x"
      let entity = Entity(
        label: "PER", text: text, range: text.startIndex..<text.endIndex, codePoints: 0..<1,
        score: Float(score))
      #expect(abs(Double(entity.probability) - probability) < 1e-6)
    }
  }
}
