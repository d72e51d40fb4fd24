import Testing

@testable import Engine

@Suite struct SegmentsTests {
  private let segments = Segments(lengths: [3, 8, 1, 9])

  @Test func countsAreThoseOfTheLengths() {
    #expect(segments.count == 4)
    #expect(segments.rowCount == 21)
    #expect(segments.longest == 9)
  }

  @Test func everySegmentStartsAPanelOfItsOwn() {
    #expect(segments.panelCount(width: 8) == 1 + 1 + 1 + 2)
    #expect(segments.panelCount(width: 1) == 21)
    #expect(
      segments.table(panelWidth: 8) == [0, 3, 0, 0, 3, 8, 1, 0, 11, 1, 2, 0, 12, 9, 3, 0])
  }

  @Test func positionsBeginAgainInEverySegment() {
    #expect(Segments(lengths: [3, 1, 2]).positions == [0, 1, 2, 0, 0, 1])
  }

  @Test func anExtentWithoutSegmentsIsOneMatrix() {
    let extent = Extent.whole(10)
    #expect(extent.matrices == 1)
    #expect(extent.rowCount == 10)
    #expect(extent.longest == 10)
    #expect(extent.panelCount(width: 4) == 3)
    #expect(extent.table == nil)
  }
}
