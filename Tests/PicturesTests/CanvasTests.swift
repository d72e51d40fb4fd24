import Testing

@testable import Pictures

@Suite struct CanvasTests {
  /// How much ink there is, in fully covered pixels.
  private func coverage(_ image: Image) -> Double {
    stride(from: 0, to: image.pixels.count, by: 3).reduce(0) {
      $0 + Double(255 - image.pixels[$1]) / 255
    }
  }

  @Test(arguments: [1.0, 2.5, 4, 11.3])
  func discsHaveTheirArea(radius: Double) {
    for shift in [0.0, 0.3, 0.5] {
      var canvas = Canvas(width: 40, height: 40)
      canvas.disc(x: 20 + shift, y: 19.7, radius: radius, RGB(0))
      let area = Double.pi * radius * radius
      #expect(abs(coverage(canvas.image) - area) < 0.05 * area + 0.3)
    }
  }

  @Test(arguments: [(35.0, 20.0), (20, 35), (33, 31), (5, 11), (7, 36)])
  func linesHaveTheirArea(end: (x: Double, y: Double)) {
    var canvas = Canvas(width: 40, height: 40)
    canvas.line(through: [(20, 20), (end.x, end.y)], width: 2, RGB(0))
    let (dx, dy) = (end.x - 20, end.y - 20)
    let area = 2 * (dx * dx + dy * dy).squareRoot() + .pi  // with round ends
    #expect(abs(coverage(canvas.image) - area) < 0.06 * area)
  }

  @Test func linesAreNoDarkerWhereTheyMeet() {
    var canvas = Canvas(width: 40, height: 40)
    canvas.line(
      through: [(5, 20.5), (20, 20.5), (35, 20.5), (20, 20.5)], width: 3, RGB(0), opacity: 0.5)
    #expect(canvas.image.pixel(20, 20) == canvas.image.pixel(10, 20))
    #expect(canvas.image.pixel(10, 20)[0] == 128)
  }

  @Test func whatLiesOutsideIsCutOff() {
    var canvas = Canvas(width: 8, height: 8)
    canvas.disc(x: -100, y: 4, radius: 3, RGB(0))
    canvas.disc(x: 1e12, y: -1e12, radius: 3, RGB(0))
    canvas.fill(x: -5, y: -5, width: 5, height: 100, RGB(0))
    canvas.text("88888", x: 8, y: 0)
    #expect(coverage(canvas.image) == 0)
    canvas.line(through: [(-1e6, 4.5), (1e6, 4.5)], width: 1, RGB(0))
    #expect(abs(coverage(canvas.image) - 8) < 0.1)
  }

  @Test func everyGlyphHasItsSize() {
    let letters =
      " 0123456789−-–+=×·.,:;!?'\"()[]/%_#*<>ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    var seen: [[Substring]: Character] = [:]
    for letter in letters {
      let rows = PixelFont.rows(of: letter)
      #expect(rows.count == 7 || rows.count == 9, "\(letter)")
      #expect(rows.allSatisfy { $0.count == 5 && $0.allSatisfy { ".#".contains($0) } }, "\(letter)")
      // The minus and the dash look alike and may.
      let twin = seen.updateValue(letter, forKey: rows)
      #expect(twin == nil || twin == "−", "\(letter)")
    }
    #expect(PixelFont.rows(of: "漢").count == 7)
    #expect(PixelFont.width(of: "") == 0 && PixelFont.width(of: "ab") == 11)
  }

  @Test func turnedTextRunsUpwards() {
    var canvas = Canvas(width: 20, height: 40)
    canvas.text("L", x: 2, y: 30, scale: 1, isTurned: true)
    // The stem of an upright L becomes its base line, the foot points up at the right.
    #expect(canvas.image.pixel(2, 29) != [255, 255, 255] && canvas.image.pixel(8, 29) != [255, 255, 255])
    #expect(canvas.image.pixel(8, 25) != [255, 255, 255] && canvas.image.pixel(2, 25) == [255, 255, 255])
  }
}
