import Testing

@testable import Pictures

@Suite struct PNGTests {
  @Test(arguments: [Image.Format.gray8, .rgb8], [(1, 1), (3, 5), (257, 2), (64, 64)])
  func pixelsComeBack(format: Image.Format, size: (Int, Int)) throws {
    let count = size.0 * size.1 * format.size
    let pixels = (0..<count).map { UInt8(truncatingIfNeeded: $0 * $0 / 3 + $0) }
    let image = Image(width: size.0, height: size.1, format: format, pixels: pixels)
    let file = try image.png()
    #expect(file.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]))
    #expect(decoded(file) == image)
  }

  @Test func incompressibleNoiseHasRoom() throws {
    var state: UInt64 = 1
    let pixels = (0..<300 * 200 * 3).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(truncatingIfNeeded: state >> 40)
    }
    let image = Image(width: 300, height: 200, format: .rgb8, pixels: pixels)
    #expect(try decoded(image.png()) == image)
  }

  @Test func refusals() {
    let none = Image(width: 0, height: 7, format: .gray8, pixels: [])
    #expect(failure { try none.png() } == .empty("an image of 0 × 7 pixels"))
    // libpng's own limit is a million.
    let long = Image(
      width: 1_000_001, height: 1, format: .gray8, pixels: [UInt8](repeating: 0, count: 1_000_001))
    let error = failure { try long.png() }
    guard case .png(1_000_001, 1, let message)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(message.contains("IHDR"))
  }
}
