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

@Suite struct EventMetricsTests {
  private func event(_ type: String, _ arguments: [EventArgumentKey]) -> EventKey {
    EventKey(type: type, arguments: arguments)
  }

  private func argument(_ role: String, _ start: Int, _ text: String, aliases: [String] = []) -> EventArgumentKey {
    EventArgumentKey(
      role: role, range: start..<start + text.unicodeScalars.count, text: text, aliases: aliases)
  }

  private func trigger(_ start: Int) -> EventArgumentKey { argument("trigger", start, "去世") }

  private func scored(predicted: [EventKey], gold: [EventKey]) -> EventMetrics {
    var metrics = EventMetrics()
    metrics.add(predicted: predicted, gold: gold)
    return metrics
  }

  @Test func nothingScoresZero() {
    let metrics = scored(predicted: [], gold: [])
    #expect(metrics.events == MatchCounts())
    #expect(metrics.arguments == MatchCounts())
    #expect(metrics.words == WordLevelScore())
    #expect(metrics.words.f1 == 0)
    #expect(metrics.words.precision == 0)
    #expect(metrics.words.recall == 0)
    #expect(metrics.eventsPerType.isEmpty)
  }

  @Test func anEventIsRightIfItsWholeListIs() {
    let gold = [event("死亡", [trigger(5), argument("死者", 0, "张三")]), event("结婚", [trigger(9)])]
    // The order of arguments, and repeats, are nothing.
    let right = event("死亡", [argument("死者", 0, "张三"), trigger(5), trigger(5)])
    let wrong = [
      event("死亡", [trigger(5)]), event("死亡", [trigger(5), argument("死者", 0, "张三"), argument("时间", 20, "今天")]),
      event("死亡", [trigger(5), argument("死者", 1, "张三")]), event("死亡", [trigger(5), argument("凶手", 0, "张三")]),
      event("受伤", [trigger(5), argument("死者", 0, "张三")]),
    ]
    let metrics = scored(predicted: [right, right] + wrong, gold: gold)
    #expect(metrics.events.predicted == 6)
    #expect(metrics.events.gold == 2)
    #expect(metrics.events.correct == 1)
    #expect(metrics.eventsPerType.keys.sorted() == ["受伤", "死亡", "结婚"].sorted())
    #expect(metrics.eventsPerType["死亡"]?.predicted == 5)
    #expect(metrics.eventsPerType["死亡"]?.recall == 1)
    #expect(metrics.eventsPerType["结婚"]?.recall == 0)
  }

  @Test func predictedEventsWithoutATriggerCountForTheirArgumentsOnly() {
    let untriggered = event("死亡", [argument("死者", 0, "张三")])
    let metrics = scored(predicted: [untriggered], gold: [untriggered, event("死亡", [trigger(5)])])
    #expect(metrics.events.predicted == 0)
    #expect(metrics.events.gold == 2)
    #expect(metrics.arguments.f1 == 1)
    #expect(metrics.words.f1 == 1)
  }

  @Test func theTriggersRoleHasAName() {
    var metrics = EventMetrics(triggerRole: "触发词")
    let events = [event("死亡", [argument("触发词", 5, "去世"), argument("死者", 0, "张三")])]
    metrics.add(predicted: events, gold: events)
    #expect(metrics.events.correct == 1)
    #expect(metrics.arguments.correct == 1)
  }

  @Test func argumentsAreTypeRoleAndTextEachOnceADocument() {
    // Predicted: 张三 twice (two events, two places), 李四 in a wrong role, 今天. Gold: 张三, 李四, 今天 of another type.
    let predicted = [
      event("死亡", [trigger(5), argument("死者", 0, "张三")]),
      event("死亡", [trigger(9), argument("死者", 12, "张三"), argument("凶手", 20, "李四"), argument("时间", 30, "今天")]),
    ]
    let gold = [
      event("死亡", [trigger(5), argument("死者", 0, "张三"), argument("死者", 20, "李四")]),
      event("受伤", [trigger(5), argument("时间", 30, "今天")]),
    ]
    var metrics = scored(predicted: predicted, gold: gold)
    #expect(metrics.arguments.predicted == 3)
    #expect(metrics.arguments.gold == 3)
    #expect(metrics.arguments.correct == 1)
    metrics.add(predicted: predicted, gold: gold)
    #expect(metrics.arguments.predicted == 6)
    #expect(metrics.arguments.correct == 2)
    #expect(metrics.events.predicted == 4)
  }

  /// The lengths say which texts need no comparison; the best is the best of all.
  @Test(arguments: 1...20) func theBestWordingIsTheBestOfAll(seed: Int) {
    var random = SeededGenerator(UInt64(seed))
    func texts(_ count: Int) -> [String] {
      (0..<count).map { _ in
        String((0..<Int.random(in: 0...9, using: &random)).map { _ in "abcdefgh".randomElement(using: &random) ?? "a" })
      }
    }
    let (predicted, gold) = (texts(30), texts(seed))
    for text in predicted {
      var score = WordLevelScore()
      score.add(predicted: [text], gold: [Set(gold)])
      #expect(score.sum == gold.map { CharacterBag(text).f1(CharacterBag($0)) }.max() ?? 0)
    }
  }

  @Test func wordsCountInPart() {
    // 北京市 and 北京: 2 common, P = 2/3, R = 1, F1 = 0.8. 昨天 and 今天: 1 common, F1 = 0.5. 王五 answers to nothing.
    let predicted = [
      event("死亡", [trigger(5), argument("地点", 0, "北京市"), argument("时间", 7, "昨天"), argument("凶手", 9, "王五")])
    ]
    let gold = [event("死亡", [trigger(50), argument("地点", 0, "北京"), argument("时间", 7, "今天")])]
    let metrics = scored(predicted: predicted, gold: gold)
    #expect(abs(metrics.words.sum - 1.3) < 1e-12)
    #expect(metrics.words.predicted == 3)
    #expect(metrics.words.gold == 2)
    #expect(abs(metrics.words.precision - 1.3 / 3) < 1e-12)
    #expect(abs(metrics.words.recall - 0.65) < 1e-12)
    #expect(abs(metrics.words.f1 - 2.6 / 5) < 1e-12)
    let (p, r) = (metrics.words.precision, metrics.words.recall)
    #expect(abs(metrics.words.f1 - 2 * p * r / (p + r)) < 1e-12)
    #expect(metrics.arguments.correct == 0)
  }

  @Test func typeAndRoleMustBeRightForWordsToo() {
    let gold = [event("死亡", [argument("死者", 0, "张三")])]
    for (type, role) in [("受伤", "死者"), ("死亡", "凶手")] {
      let metrics = scored(predicted: [event(type, [argument(role, 0, "张三")])], gold: gold)
      #expect(metrics.words.sum == 0)
      #expect(metrics.words.predicted == 1)
      #expect(metrics.words.gold == 1)
    }
  }

  @Test func theBestOfAllWordingsCounts() {
    let gold = [
      event("死亡", [argument("死者", 0, "老张", aliases: ["张三", "张先生"])]),
      event("死亡", [argument("死者", 9, "李四")]),
    ]
    #expect(scored(predicted: [event("死亡", [argument("死者", 3, "张三")])], gold: gold).words.sum == 1)
    // 李先生 has 2 of 3 in common with 张先生, and 1 of 3 and 2 with 李四.
    let words = scored(predicted: [event("死亡", [argument("死者", 3, "李先生")])], gold: gold).words
    #expect(abs(words.sum - 2.0 / 3) < 1e-12)
    #expect(words.gold == 2)
    // Two wordings of one gold argument, both predicted: both answer to it, as the description has it.
    let both = [event("死亡", [argument("死者", 0, "老张"), argument("死者", 3, "张三")])]
    let twice = scored(predicted: both, gold: [gold[0]]).words
    #expect(twice.precision == 1)
    #expect(twice.recall == 2)
  }

  @Test(arguments: [
    ("ABC", "abc", 1.0), ("Éa", "éA", 1.0), ("aab", "abb", 2.0 / 3), ("abc", "cba", 1.0), ("ab", "cd", 0.0),
    ("", "a", 0.0), ("😀b", "😀", 2.0 / 3), ("aaaa", "a", 2.0 / 5),
  ])
  func charactersAreCountedWithoutCaseAndOrder(a: String, b: String, f1: Double) {
    #expect(abs(CharacterBag(a).f1(CharacterBag(b)) - f1) < 1e-12)
    #expect(abs(CharacterBag(b).f1(CharacterBag(a)) - f1) < 1e-12)
  }
}
