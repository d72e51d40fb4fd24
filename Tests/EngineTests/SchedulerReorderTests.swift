import Testing

@testable import Engine

@Suite struct SchedulerReorderTests {
  @Test func resultsWaitForThoseBefore() {
    var reorder = Reorder<String>()
    let ids = (0..<3).map { _ in reorder.open() }
    #expect(ids == [0, 1, 2])
    reorder.fill(2, with: "c")
    reorder.fill(1, with: "b")
    #expect(reorder.next() == nil)
    #expect(reorder.outstanding == 3)
    reorder.fill(0, with: "a")
    #expect([reorder.next(), reorder.next(), reorder.next(), reorder.next()] == ["a", "b", "c", nil])
    #expect(reorder.outstanding == 0)
  }

  @Test func numbersGoOnAfterResultsHaveGone() {
    var reorder = Reorder<Int>()
    for id in 0..<100 {
      #expect(reorder.open() == id)
      reorder.fill(id, with: id)
      #expect(reorder.next() == id)
    }
  }

  @Test func numbersThatAreNotOutstandingAreIgnored() {
    var reorder = Reorder<Int>()
    reorder.fill(0, with: 1)
    #expect(reorder.open() == 0)
    reorder.fill(0, with: 2)
    #expect(reorder.next() == 2)
    reorder.fill(0, with: 3)
    reorder.fill(-1, with: 3)
    #expect(reorder.next() == nil)
    #expect(reorder.outstanding == 0)
  }

  @Test(arguments: 1...20) func anyOrderOfFinishingGivesTheOrderOfOpening(seed: Int) {
    var random = SeededGenerator(UInt64(seed))
    var reorder = Reorder<Int>()
    var unfinished: [Int] = []
    var results: [Int] = []
    var opened = 0
    while results.count < 1000 {
      if opened < 1000, Bool.random(using: &random) {
        unfinished.append(reorder.open())
        opened += 1
      } else if let index = unfinished.indices.randomElement(using: &random) {
        let id = unfinished.remove(at: index)
        reorder.fill(id, with: 3 * id)
      }
      while let result = reorder.next() { results.append(result) }
      #expect(reorder.outstanding == opened - results.count)
    }
    #expect(results == (0..<1000).map { 3 * $0 })
  }
}
