import Engine
import Foundation
import Testing
import Weft

@testable import Geometry

/// The measures, by hand.
@Suite struct HubnessMeasuresTests {
  private func lists(_ rows: [[Int32]], among count: Int? = nil) -> NeighbourLists {
    NeighbourLists(
      k: rows[0].count, metric: .euclidean, referenceCount: count ?? rows.count, isOfItself: count == nil,
      indices: rows.flatMap { $0 }, distances: [Double](repeating: 1, count: rows.count * rows[0].count))
  }

  @Test func countsOfFour() {
    let counts = NeighbourCounts(lists([[1, 2], [0, 2], [1, 0], [1, 2]]))
    #expect(counts.counts == [2, 3, 3, 0])
    #expect(counts.antihubs == [3] && counts.hubs(atLeast: 3) == [1, 2])
    #expect(counts.largest(3) == [1, 2, 0])
    #expect(counts.histogram == [1, 0, 1, 2])
    #expect(NeighbourCounts(lists([[1, 2], [0, 2], [1, 0], [1, 2]]), k: 1).counts == [1, 3, 0, 0])
  }

  @Test func countsOfQueries() {
    let counts = NeighbourCounts(lists([[4, 0], [4, 1], [4, 0]], among: 5))
    #expect(counts.counts == [2, 1, 0, 0, 3] && counts.rowCount == 3)
    #expect(HubnessMeasures(counts).largestShare == 0.5)
  }

  /// N = 0, 0, 2, 6 with k = 2: mean 2, so (N - mean) = -2, -2, 0, 4.
  @Test func measuresByHand() {
    let measures = HubnessMeasures(NeighbourCounts(k: 2, rowCount: 4, counts: [0, 2, 0, 6]))
    func close(_ a: Double, _ b: Double) -> Bool { abs(a - b) < 1e-14 }
    #expect(close(measures.skewness, (64.0 - 16) / 4 / pow(6, 1.5)))
    #expect(close(measures.robinHood, 8.0 / 2 / 8))
    #expect(close(measures.antihubShare, 0.5))
    #expect(measures.hubCount == 1 && close(measures.hubShare, 0.25))
    #expect(close(measures.hubOccurrence, 6.0 / 8))
    // |differences| of the 16 ordered pairs: 2 · (0 + 2 + 6 + 2 + 6 + 4) = 40; Gini = 40 / (2 · 16 · 2).
    #expect(close(measures.gini, 40.0 / 64))
    let roots = (2.0.squareRoot() + 6.0.squareRoot()) / 4
    #expect(close(measures.atkinson, 1 - roots * roots / 2))
    #expect(measures.largest == 6 && close(measures.largestShare, 0.75))
  }

  @Test func evenCountsHaveNoHubness() {
    let measures = HubnessMeasures(NeighbourCounts(k: 3, rowCount: 10, counts: [Int](repeating: 3, count: 10)))
    #expect(measures.skewness == 0 && measures.robinHood == 0 && measures.gini == 0)
    #expect(abs(measures.atkinson) < 1e-15 && measures.hubCount == 0 && measures.antihubShare == 0)
  }

  /// Rounding makes none of it negative.
  @Test func evenCountsOfAnySize() {
    for count in [3, 7, 60, 1000] {
      for k in 1..<50 {
        let counts = NeighbourCounts(k: k, rowCount: count, counts: [Int](repeating: k, count: count))
        #expect((0..<1e-13).contains(HubnessMeasures(counts).atkinson), "\(count), \(k)")
      }
    }
  }

  @Test func spearman() {
    #expect(spearmanCorrelation([1, 2, 3, 4], [10, 20, 30, 400]) == 1)
    #expect(spearmanCorrelation([1, 2, 3, 4], [4, 3, 2, 1]) == -1)
    // Ranks 0.5, 0.5, 2, 3 against 0, 1, 2, 3.
    #expect(abs((spearmanCorrelation([5, 5, 6, 7], [1, 2, 3, 4]) ?? 0) - 4.5 / (4.5 * 5).squareRoot()) < 1e-15)
    #expect(spearmanCorrelation([1, 1], [1, 2]) == nil)
  }
}
