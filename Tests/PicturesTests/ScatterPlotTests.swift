import Foundation
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@testable import Pictures

/// Panels of the plane: clouds of points and the paths that points took, on equal scales.
@Suite struct ScatterPlotTests {
  private let corners = [PlotPoint(x: -1, y: -1), PlotPoint(x: 1, y: 1)]

  private func plot(_ series: [PlotPanel.Series]) -> Plot {
    Plot(panels: [PlotPanel(plane: ("x", "y"), series: series)])
  }

  private func frame(around points: [PlotPoint]) throws -> PlotFrame {
    let layout = try PanelLayout(PlotPanel(plane: ("x", "y"), series: [.init("", cloud: points)]), size: (1, 1))
    return PlotFrame(layout, x: 0, y: 12, labelWidth: layout.labelWidth, headHeight: layout.headHeight)
  }

  private struct Disc: Equatable {
    var x, y, radius: Double
  }

  /// The discs of a colour's groups, with each group's opacity.
  private func clouds(_ svg: String, _ colour: RGB) -> [(opacity: Double, discs: [Disc])] {
    svg.matches(of: /<g fill="([^"]*)" fill-opacity="([^"]*)">\n((?:<circle [^\n]*\n)*)<\/g>/).compactMap { match in
      guard match.1 == colour.css, let opacity = Double(match.2) else { return nil }
      let discs = match.3.matches(of: /<circle cx="([^"]*)" cy="([^"]*)" r="([^"]*)"\/>/).compactMap { disc in
        let numbers = [disc.1, disc.2, disc.3].compactMap { Double($0) }
        return numbers.count == 3 ? Disc(x: numbers[0], y: numbers[1], radius: numbers[2]) : nil
      }
      return (opacity, discs)
    }
  }

  @Test func scalesAreEqual() throws {
    let frame = try frame(around: [PlotPoint(x: -10, y: 0), PlotPoint(x: 10, y: 1)])
    let origin = frame.place(PlotPoint(x: 0, y: 0))
    let right = frame.place(PlotPoint(x: 3, y: 0))
    let above = frame.place(PlotPoint(x: 0, y: 3))
    #expect(abs((right.x - origin.x) - (origin.y - above.y)) < 1e-9)
    #expect(right.x > origin.x && above.y < origin.y)
    #expect(frame.right - frame.left == frame.bottom - frame.top)
  }

  @Test func discsLieWhereTheyShould() throws {
    let svg = try plot([.init("", colour: .blue, cloud: corners)]).svg()
    let frame = try frame(around: corners)
    let clouds = clouds(svg, .blue)
    try #require(clouds.count == 1 && clouds[0].discs.count == 2)
    #expect(clouds[0].opacity == 0.7)
    for (disc, point) in zip(clouds[0].discs, corners) {
      let place = frame.place(point)
      #expect(abs(disc.x - place.x) < 0.01 && abs(disc.y - place.y) < 0.01 && disc.radius == 2.5)
    }
    // The whole panel is in the picture.
    let size = try #require(svg.firstMatch(of: /width="([^"]*)" height="([^"]*)"/))
    #expect(Double(size.1) == frame.width && Double(size.2) == frame.height + 12)
    #expect(XMLParser(data: Data(svg.utf8)).parse())
  }

  @Test(arguments: [
    [PlotPoint(x: 0, y: 0)], [PlotPoint(x: 1e7, y: -3e-4)], [PlotPoint(x: 3e38, y: -3e38)],
    [PlotPoint(x: 1e-40, y: 1e-45)], [PlotPoint(x: 5, y: 0), PlotPoint(x: 5, y: 1)],
    [PlotPoint(x: 1e9, y: 0), PlotPoint(x: 1e9 + 4, y: 0)],
  ])
  func awkwardPoints(points: [PlotPoint]) throws {
    let frame = try frame(around: points)
    for point in points {
      let place = frame.place(point)
      #expect((frame.left...frame.right).contains(place.x))
      #expect((frame.top...frame.bottom).contains(place.y))
    }
    let svg = try plot([.init("samples", cloud: points)]).svg()
    #expect(!svg.contains("nan") && !svg.contains("inf"))
  }

  @Test func pointsOnALineKeepTheirDistance() throws {
    let points = [PlotPoint(x: 1e6, y: 0), PlotPoint(x: 1e6, y: 1)]
    let frame = try frame(around: points)
    #expect(frame.place(points[0]).y - frame.place(points[1]).y > 500)
  }

  @Test func refusals() {
    let empty = plot([.init("data"), .init("samples")])
    #expect(failure { try empty.svg() } == .empty("a panel without points"))
    #expect(failure { try plot([]).svg() } == .empty("a panel without points"))
    for bad in [Double.nan, .infinity, 1e250] {
      let points = corners + [PlotPoint(x: 0, y: bad)]
      let error = failure { try plot([.init("samples", cloud: points)]).svg() }
      guard case .point("samples", 2, _)? = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
      let path = failure { try plot([.init("paths", paths: [corners, points])]).svg() }
      #expect(path?.description.hasPrefix("paths, path 1: point 2 is") == true)
    }
  }

  @Test func pathsAreDrawnOverDataAndUnderSamples() throws {
    let svg = try plot([
      .init("data", colour: .green, cloud: corners), .init("paths", colour: .orange, paths: [corners, corners]),
      .init("samples", colour: .purple, cloud: corners),
    ]).svg()
    #expect(svg.matches(of: /<polyline [^>]*stroke-opacity="0.6"/).count == 2)
    let places = ["<g fill=\"\(RGB.green.css)\"", "<polyline", "<g fill=\"\(RGB.purple.css)\""]
      .compactMap { svg.range(of: $0)?.lowerBound }
    #expect(places.count == 3 && places == places.sorted())
    // Each is in the legend: a disc, a line, a disc.
    #expect(["data", "paths", "samples"].allSatisfy { svg.contains(">\($0)</text>") })
    #expect(svg.matches(of: /<circle [^>]*stroke="#ffffff"/).count == 2)
    let lines = svg.matches(of: /<line [^>]*stroke="([^"]*)" stroke-width="2"/)
    #expect(lines.map { String($0.1) } == [RGB.orange.css])
    // The way of one point is no line.
    #expect(try plot([.init("paths", paths: [[corners[0]]])]).svg().contains("<polyline") == false)
  }

  @Test func manyPathsAreFaint() throws {
    let svg = try plot([.init("paths", paths: Array(repeating: corners, count: 100))]).svg()
    #expect(svg.matches(of: /<polyline [^>]*stroke-opacity="0.5"/).count == 100)
  }

  @Test func plansOfPlanesAndCurvesShareAFile() throws {
    let plane = PlotPanel(title: "plane", plane: ("x", "y"), series: [.init("a", cloud: corners)])
    let curve = PlotPanel(x: .init("t"), y: .init("v"), series: [.init("b", points: corners)])
    for (arrangement, isWide) in [(Plot.Arrangement.row, true), (.column, false)] {
      let svg = try Plot(title: "t", panels: [plane, curve], arrangement: arrangement).svg()
      let size = try #require(svg.firstMatch(of: /width="([^"]*)" height="([^"]*)"/))
      let (width, height) = (try #require(Double(size.1)), try #require(Double(size.2)))
      #expect((width > 1000) == isWide && (height > 900) != isWide)
    }
  }

  // MARK: Clouds

  /// Whatever the number of points, the discs are few, and stand for all points.
  @Test(arguments: [0, 1, PointCloud.limit, PointCloud.limit + 1, 300_000])
  func cloudsAreBounded(count: Int) {
    var state: UInt64 = 7
    func random() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 11) / Double(1 << 53)
    }
    let points = (0..<count).map { _ in (x: random() * 560, y: random() * 560) }
    let cloud = PointCloud(points)
    #expect(cloud.discs.count <= PointCloud.limit)
    #expect(cloud.discs.reduce(0) { $0 + $1.count } == count)
    if count <= PointCloud.limit { #expect(cloud.discs.allSatisfy { $0.count == 1 }) }
    let mean = cloud.discs.reduce(0) { $0 + $1.x * Double($1.count) }
    #expect(abs(mean - points.reduce(0) { $0 + $1.x }) < 1e-6 * Double(count + 1))
    // Many points more do not change which discs there are.
    #expect(PointCloud(points + points).discs.count <= PointCloud.limit)
  }

  @Test func nearPointsShareADiscAndFarOnesDoNot() {
    let near = Array(repeating: (x: 10.25, y: 20.75), count: PointCloud.limit)
    let cloud = PointCloud(near + [(x: 300, y: 5)])
    #expect(cloud.discs == [.init(x: 300, y: 5, count: 1), .init(x: 10.25, y: 20.75, count: PointCloud.limit)])
  }

  /// Discs of one colour over each other: the light that passes is what passes each in turn.
  @Test func sharedDiscsAreAsOpaqueAsTheirOwnTogether() {
    let points = Array(repeating: (x: 1.0, y: 1.0), count: PointCloud.limit - 2)
    let groups = PointCloud(points + [(5, 5), (5, 5), (9, 9)]).grouped(single: 0.7)
    #expect(groups.map(\.percent) == [70, 91, 100])
    #expect(groups.map { $0.discs.map(\.count) } == [[1], [2], [PointCloud.limit - 2]])
  }

  @Test func pairs() {
    #expect(PlotPoint.points([1, 2, 3, 4]) == [PlotPoint(x: 1, y: 2), PlotPoint(x: 3, y: 4)])
  }
}
