import Testing

@testable import TokenPairs

@Suite struct WindowPlanTests {
  @Test func aShortTextIsOneWindow() {
    for count in [0, 1, 9, 10] {
      let plan = WindowPlan(count: count, capacity: 10, overlap: 4) { _ in true }
      #expect(plan.windows == [0..<count])
    }
  }

  @Test func windowsOverlapAsMuchAsAsked() {
    let plan = WindowPlan(count: 25, capacity: 10, overlap: 4) { _ in true }
    #expect(plan.windows == [0..<10, 6..<16, 12..<22, 18..<25])
  }

  @Test func aWindowStartsAtAWordIfOneIsNear() {
    // The latest start is 6; words begin at multiples of 4.
    let plan = WindowPlan(count: 18, capacity: 10, overlap: 4) { $0.isMultiple(of: 4) }
    #expect(plan.windows == [0..<10, 4..<14, 8..<18])
    let wordless = WindowPlan(count: 16, capacity: 10, overlap: 4) { $0 == 0 }
    #expect(wordless.windows == [0..<10, 6..<16])
  }

  @Test func theWindowWithMoreContextAnswers() {
    let plan = WindowPlan(count: 16, capacity: 10, overlap: 6) { _ in true }
    #expect(plan.windows == [0..<10, 4..<14, 8..<16])
    func answering(_ first: Int, _ last: Int) -> [Int] {
      plan.windows.indices.filter { plan.answers(window: $0, first: first, last: last) }
    }
    #expect(answering(4, 4) == [0], "the text's own start is no lack of context")
    #expect(answering(6, 7) == [0], "two on either nearer side: the earlier")
    #expect(answering(7, 8) == [1], "3 tokens before it there, 1 after it in the first")
    #expect(answering(0, 9) == [0], "only the first holds it")
    #expect(answering(4, 13) == [1], "only the second holds it")
    #expect(answering(9, 12) == [1], "1 after it against 1 before it: the earlier")
    #expect(answering(10, 15) == [2])
  }

  @Test(arguments: 1...40) func everySpanThatFitsHasOneAnswer(seed: Int) {
    var random = SeededGenerator(UInt64(seed))
    let capacity = Int.random(in: 1...24, using: &random)
    let overlap = Int.random(in: 0..<capacity, using: &random)
    let count = Int.random(in: 0...120, using: &random)
    let words = (0..<max(1, count)).map { _ in Int.random(in: 0..<3, using: &random) == 0 }
    let plan = WindowPlan(count: count, capacity: capacity, overlap: overlap) { words[$0] }
    let note: Comment = "seed \(seed): \(count) tokens, \(capacity) a window, overlap \(overlap)"
    #expect(plan == WindowPlan(count: count, capacity: capacity, overlap: overlap) { words[$0] }, note)

    #expect(plan.windows.first?.lowerBound == 0, note)
    #expect(plan.windows.last?.upperBound == count, note)
    for (left, right) in zip(plan.windows, plan.windows.dropFirst()) {
      #expect(left.count == capacity, note)
      #expect(right.lowerBound > left.lowerBound, note)
      #expect(left.upperBound - right.lowerBound >= overlap, note)
      // A start that is no word's has none before it within reach.
      let reach = (capacity - overlap) / 2
      let latest = left.upperBound - overlap
      let near = max(left.lowerBound + 1, latest - reach)...latest
      #expect(right.lowerBound == near.last { words[$0] } ?? latest, note)
    }

    for first in 0..<count {
      for last in first..<min(count, first + capacity) {
        let holding = plan.windows.indices.filter {
          plan.windows[$0].lowerBound <= first && last < plan.windows[$0].upperBound
        }
        let answering = holding.filter { plan.answers(window: $0, first: first, last: last) }
        #expect(answering.count == min(1, holding.count), note)
        #expect(last - first > overlap || !holding.isEmpty, "short spans are never cut")
        let best = holding.map { context(plan.windows[$0], count, first, last) }.max()
        #expect(answering.first.map { context(plan.windows[$0], count, first, last) } == best, note)
      }
    }
  }

  /// Tokens between a span and the nearer end of its window that is not an end of the text.
  private func context(_ window: Range<Int>, _ count: Int, _ first: Int, _ last: Int) -> Int {
    let before = window.lowerBound == 0 ? Int.max : first - window.lowerBound
    let after = window.upperBound == count ? Int.max : window.upperBound - 1 - last
    return min(before, after)
  }
}
