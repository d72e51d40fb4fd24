import Foundation
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@testable import Pictures

@Suite struct PlotTests {
  private func plot(
    _ points: [PlotPoint], _ scale: AxisScale = .linear, name: String = "a", marks: [Double] = []
  ) -> Plot {
    Plot(
      title: "t",
      panels: [
        PlotPanel(
          title: "p", x: .init("x"), y: .init("y", scale: scale),
          series: [.init(name, points: points)], marks: marks)
      ])
  }

  /// Whether a text is well-formed XML.
  private func isXML(_ text: String) -> Bool { XMLParser(data: Data(text.utf8)).parse() }

  private let line = [PlotPoint(x: 0, y: 1), PlotPoint(x: 10, y: 100)]

  @Test func partsAreThere() throws {
    var plot = plot(line, .logarithmic, marks: [2, 5])
    plot.panels[0].series.append(
      .init("b", colour: .orange, points: line, dots: [PlotPoint(x: 5, y: 10)]))
    for arrangement in [Plot.Arrangement.row, .column] {
      for count in 1...3 {
        plot.panels = Array(repeating: plot.panels[0], count: count)
        plot.arrangement = arrangement
        let text = try plot.svg()
        #expect(isXML(text))
        #expect(text.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\"") && text.hasSuffix("</svg>\n"))
        func occurrences(_ part: String) -> Int { text.components(separatedBy: part).count - 1 }
        #expect(occurrences("<polyline") == 2 * count)
        #expect(occurrences("stroke-dasharray") == 2 * count)
        #expect(occurrences("<circle") == 2 * count)  // the dot, and its sample in the legend
        #expect(occurrences(">10<") >= 2 * count)
        #expect(!text.contains("nan") && !text.contains("inf"))
      }
    }
  }

  @Test func curvesLieWhereTheyShould() throws {
    // The legend is empty without a name; the frame is that of one panel.
    let text = try plot(line, name: "").svg()
    let points = try #require(text.firstMatch(of: /<polyline points="([^"]*)"/)).1
    let numbers = points.split { $0 == " " || $0 == "," }.compactMap { Double($0) }
    try #require(numbers.count == 4)
    #expect(numbers[0] < numbers[2] && numbers[1] > numbers[3])
    #expect(numbers.allSatisfy { $0 > 0 && $0 < 680 })
  }

  @Test(arguments: [
    ("a<b", "a&lt;b"), ("\"x\" & 'y'", "&quot;x&quot; &amp; &#39;y&#39;"), ("]]>", "]]&gt;"),
    ("bell\u{7}\u{0}", "bell\u{FFFD}\u{FFFD}"), ("a\nb\tc", "a b c"), ("\u{FFFF}ᾱ日", "\u{FFFD}ᾱ日"),
    ("</text><script>", "&lt;/text&gt;&lt;script&gt;"),
  ])
  func textIsEscaped(text: String, escaped: String) throws {
    #expect(text.xmlEscaped == escaped)
    var plot = plot(line, name: text)
    plot.title = text
    plot.panels[0].title = text
    plot.panels[0].x.name = text
    plot.panels[0].y.name = text
    let svg = try plot.svg()
    #expect(isXML(svg))
    #expect(svg.components(separatedBy: escaped).count == 7)  // the title also as a tool tip
  }

  @Test(arguments: [
    [PlotPoint(x: 0, y: 0)], [PlotPoint(x: 1, y: 5), PlotPoint(x: 2, y: 5)],
    [PlotPoint(x: -1e200, y: 1e200), PlotPoint(x: 1e200, y: -1e200)],
    [PlotPoint(x: 1e-199, y: -1e-199), PlotPoint(x: 3e-199, y: 1e-199)],
    [PlotPoint(x: 3, y: 1e15), PlotPoint(x: 3, y: 1e15 + 1)],
  ])
  func awkwardData(points: [PlotPoint]) throws {
    let text = try plot(points).svg()
    #expect(isXML(text) && !text.contains("nan") && !text.contains("inf"))
  }

  @Test func onePointIsADot() throws {
    #expect(try plot([PlotPoint(x: 1, y: 1)]).svg().contains("<circle"))
  }

  @Test func refusals() {
    #expect(failure { try Plot(panels: []).svg() } == .empty("a plot without panels"))
    #expect(failure { try plot([]).svg() } == .empty("a panel without points: p"))
    #expect(failure { try plot([], marks: [1]).svg() } == .empty("a panel without points: p"))
    func error(_ bad: PlotPoint, _ scale: AxisScale = .linear) -> String? {
      failure { try plot(line + [bad], scale, name: "loss").svg() }?.description
    }
    #expect(
      error(PlotPoint(x: 0, y: .nan)) == "loss: point 2 is nan, where a finite number is expected")
    #expect(error(PlotPoint(x: .infinity, y: 0))?.contains("is inf") == true)
    #expect(error(PlotPoint(x: 1e201, y: 0))?.contains("too large") == true)
    for value in [0, -1, 1e-201] {
      #expect(error(PlotPoint(x: 0, y: value), .logarithmic)?.contains("logarithmic axis") == true)
    }
    #expect(failure { try plot(line, marks: [.nan]).svg() }?.description.hasPrefix("marks") == true)
    let dots = PlotPanel(
      x: .init(""), y: .init(""), series: [.init("", dots: [PlotPoint(x: .nan, y: 0)])])
    #expect(
      failure { try Plot(panels: [dots]).svg() }?.description.hasPrefix("series, dots: point 0")
        == true)
  }

  @Test func longLegendsTakeMoreLines() {
    func series(_ count: Int) -> [PlotPanel.Series] {
      (0..<count).map { PlotPanel.Series("series number \($0)", points: line) }
    }
    let (one, many) = (Legend(series(1), width: 400), Legend(series(12), width: 400))
    #expect(Legend([], width: 400).height == 0 && one.height < many.height)
    // A name that is too wide for any line has one of its own, without an empty one before.
    let wide = PlotPanel.Series(String(repeating: "w", count: 200), points: line)
    #expect(Legend([wide], width: 400).height == one.height)
  }

  @Test func coordinates() {
    #expect(svg(1) == "1" && svg(-0.001) == "0" && svg(12.345) == "12.35" && svg(-3.5) == "-3.5")
    #expect(svg(100) == "100" && svg(0.1) == "0.1")
  }
}
