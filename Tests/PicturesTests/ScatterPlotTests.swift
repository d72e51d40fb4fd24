import Testing

@testable import Pictures

@Suite struct ScatterPlotTests {
  private let corners = [PlotPoint(x: -1, y: -1), PlotPoint(x: 1, y: 1)]

  @Test func scalesAreEqual() throws {
    let wide = [PlotPoint(x: -10, y: 0), PlotPoint(x: 10, y: 1)]
    let frame = try #require(ScatterFrame(around: wide, top: 50))
    let origin = frame.place(of: PlotPoint(x: 0, y: 0))
    let right = frame.place(of: PlotPoint(x: 3, y: 0))
    let above = frame.place(of: PlotPoint(x: 0, y: 3))
    #expect(abs((right.x - origin.x) - (origin.y - above.y)) < 1e-9)
    #expect(right.x > origin.x && above.y < origin.y)
  }

  @Test func discsLieWhereTheyShould() throws {
    let layer = ScatterPlot.Layer(name: "s", points: corners, colour: .blue, radius: 4, opacity: 1)
    let picture = try ScatterPlot(layers: [layer]).picture()
    let frame = try #require(ScatterFrame(around: corners, top: 54))
    #expect(picture.width == frame.size.width && picture.height == frame.size.height)
    for point in corners {
      let place = frame.place(of: point)
      #expect(picture.pixel(Int(place.x), Int(place.y)) == [0x1A, 0x6F, 0xC4])
      #expect(picture.pixel(Int(place.x) + 8, Int(place.y) + 8) == [255, 255, 255])
    }
    #expect(try decoded(picture.png()) == picture)
  }

  @Test(arguments: [
    [PlotPoint(x: 0, y: 0)], [PlotPoint(x: 1e7, y: -3e-4)], [PlotPoint(x: 3e38, y: -3e38)],
    [PlotPoint(x: 1e-40, y: 1e-45)], [PlotPoint(x: 5, y: 0), PlotPoint(x: 5, y: 1)],
    [PlotPoint(x: 1e9, y: 0), PlotPoint(x: 1e9 + 4, y: 0)],
  ])
  func awkwardPoints(points: [PlotPoint]) throws {
    let frame = try #require(ScatterFrame(around: points, top: 54))
    for point in points {
      let place = frame.place(of: point)
      #expect((Double(frame.left)...Double(frame.right)).contains(place.x))
      #expect((Double(frame.top)...Double(frame.bottom)).contains(place.y))
    }
    _ = try ScatterPlot(layers: [.samples(points)]).picture()
  }

  @Test func pointsOnALineKeepTheirDistance() throws {
    let points = [PlotPoint(x: 1e6, y: 0), PlotPoint(x: 1e6, y: 1)]
    let frame = try #require(ScatterFrame(around: points, top: 54))
    #expect(frame.place(of: points[0]).y - frame.place(of: points[1]).y > 600)
  }

  @Test func refusals() {
    let empty = ScatterPlot(layers: [.data([]), .samples([])])
    #expect(failure { try empty.picture() } == .empty("no points"))
    #expect(failure { try ScatterPlot(layers: []).picture() } == .empty("no points"))
    for bad in [Double.nan, .infinity, 1e250] {
      let points = corners + [PlotPoint(x: 0, y: bad)]
      let error = failure { try ScatterPlot(layers: [.samples(points)]).picture() }
      guard case .point("samples", 2, _)? = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
      let path = failure { try ScatterPlot(layers: [], trajectories: [corners, points]).picture() }
      #expect(path?.description.hasPrefix("trajectory 1: point 2 is") == true)
    }
  }

  @Test func trajectoriesAreDrawnOverDataAndUnderSamples() throws {
    let middle = PlotPoint(x: 0, y: 0)
    func pixel(_ layers: [ScatterPlot.Layer]) throws -> [UInt8] {
      let picture = try ScatterPlot(layers: layers, trajectories: [corners]).picture()
      let frame = try #require(ScatterFrame(around: corners, top: 54))
      let place = frame.place(of: middle)
      return picture.pixel(Int(place.x), Int(place.y))
    }
    let below = ScatterPlot.Layer(name: "a", points: [middle], colour: .green, opacity: 1)
    let above = ScatterPlot.Layer(name: "b", points: [middle], colour: .purple, opacity: 1)
    #expect(try pixel([below, above]) == [0x82, 0x50, 0xC4])
    let none = ScatterPlot.Layer(name: "b", points: [], colour: .purple)
    #expect(try pixel([below, none]) != [0x2A, 0x8C, 0x4A])
  }

  @Test func pairs() {
    #expect(PlotPoint.points([1, 2, 3, 4]) == [PlotPoint(x: 1, y: 2), PlotPoint(x: 3, y: 4)])
  }
}
