import Foundation
import Testing

@testable import Pictures

/// Bars of a histogram: where they stand, and what cannot be drawn.
@Suite struct HistogramBarTests {
  private func plot(_ bars: [PlotPanel.Bar], _ scale: AxisScale = .linear, name: String = "") -> Plot {
    Plot(panels: [PlotPanel(x: .init("x"), y: .init("y", scale: scale), series: [.init(name, bars: bars)])])
  }

  private struct Rectangle: Equatable {
    var x, y, width, height: Double
    var end: Double { x + width }
    var foot: Double { y + height }
  }

  /// The rectangles of the series' colour.
  private func rectangles(_ svg: String) -> [Rectangle] {
    svg.matches(of: /<rect x="([^"]*)" y="([^"]*)" width="([^"]*)" height="([^"]*)"([^>]*)>/).compactMap { match in
      guard String(match.5).contains(RGB.blue.css) else { return nil }
      let numbers = [match.1, match.2, match.3, match.4].compactMap { Double($0) }
      return numbers.count == 4
        ? Rectangle(x: numbers[0], y: numbers[1], width: numbers[2], height: numbers[3]) : nil
    }
  }

  @Test func barsStandOnTheAxis() throws {
    let drawn = rectangles(try plot([.init(0...1, height: 1), .init(1...2, height: 4), .init(2...4, height: 2)]).svg())
    try #require(drawn.count == 3)
    #expect(drawn.allSatisfy { abs($0.foot - drawn[0].foot) < 0.05 && $0.width > 0 })
    // Heights as the numbers, the last twice as wide, side by side and apart.
    #expect(abs(drawn[1].height / drawn[0].height - 4) < 0.01 && abs(drawn[2].height / drawn[0].height - 2) < 0.01)
    #expect(abs((drawn[2].width + 1) / (drawn[0].width + 1) - 2) < 0.01)
    #expect(drawn[0].end < drawn[1].x && drawn[1].x - drawn[0].end < 2)
  }

  /// Equal ratios are equal steps, and even the lowest can be seen.
  @Test func barsOfALogarithmicAxis() throws {
    let drawn = rectangles(
      try plot([.init(0...1, height: 1), .init(1...2, height: 10), .init(2...3, height: 100)], .logarithmic).svg())
    try #require(drawn.count == 3)
    #expect(drawn[0].height > 5)
    #expect(abs((drawn[2].height - drawn[1].height) - (drawn[1].height - drawn[0].height)) < 0.05)
  }

  @Test func theLegendShowsASquare() throws {
    let bars = [PlotPanel.Bar(0...1, height: 3)]
    #expect(rectangles(try plot(bars, name: "counts").svg()).count == rectangles(try plot(bars).svg()).count + 1)
  }

  @Test func refusals() {
    func error(_ bar: PlotPanel.Bar, _ scale: AxisScale = .linear) -> String? {
      failure { try plot([bar], scale, name: "counts").svg() }?.description
    }
    #expect(error(.init(0...1, height: .nan))?.hasPrefix("counts, bars: point 0 is nan") == true)
    #expect(error(.init(0...Double.infinity, height: 1))?.contains("is inf") == true)
    #expect(error(.init(0...1, height: 0), .logarithmic)?.contains("logarithmic axis") == true)
    #expect(failure { try plot([]).svg() } == .empty("a panel without points"))
  }
}
