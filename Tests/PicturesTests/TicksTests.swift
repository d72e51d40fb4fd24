import Testing

@testable import Pictures

extension Tick {
  /// The label as one text.
  fileprivate var text: String? {
    switch label {
    case .text(let text): text
    case .powerOfTen(let exponent): "10^\(exponent)"
    case nil: nil
    }
  }
}

@Suite struct TicksTests {
  private func labels(
    _ low: Double, _ high: Double, _ count: Int = 5, _ scale: AxisScale = .linear
  ) -> [String] {
    AxisRange(low: low, high: high, scale: scale).ticks(about: count).compactMap { $0.text }
  }

  @Test func linear() {
    #expect(labels(0, 1) == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"])
    #expect(labels(0, 1000) == ["0", "200", "400", "600", "800", "1000"])
    #expect(labels(-3, 3, 6) == ["−3", "−2", "−1", "0", "1", "2", "3"])
    #expect(labels(-0.37, -0.11) == ["−0.35", "−0.30", "−0.25", "−0.20", "−0.15"])
    #expect(labels(0.0012, 0.0049, 4) == ["0.002", "0.003", "0.004"])
    #expect(labels(1e8, 3e8, 4) == ["1e8", "1.5e8", "2e8", "2.5e8", "3e8"])
    #expect(labels(-2e-9, 2e-9, 4) == ["−2e−9", "−1e−9", "0", "1e−9", "2e−9"])
    #expect(labels(20, 130, 2) == ["50", "100"])
    // Values are those that the labels say, to the last bit.
    #expect(
      AxisRange(low: 0, high: 1).ticks(about: 10).map { $0.value }
        == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1])
  }

  @Test func logarithmic() {
    #expect(labels(1e-3, 1e2, 6, .logarithmic) == ["10^-3", "10^-2", "10^-1", "10^0", "10^1", "10^2"])
    #expect(labels(1e-9, 1e9, 6, .logarithmic) == ["10^-8", "10^-4", "10^0", "10^4", "10^8"])
    #expect(labels(0.07, 0.8, 6, .logarithmic) == ["0.1", "0.2", "0.5"])
    #expect(labels(2.2, 4.4, 4, .logarithmic) == ["2.5", "3.0", "3.5", "4.0"])
    let ticks = AxisRange(low: 1, high: 100, scale: .logarithmic).ticks(about: 5)
    #expect(
      ticks.filter { $0.label == nil }.map { $0.value } == [2, 3, 4, 5, 6, 7, 8, 9]
        + [20, 30, 40, 50, 60, 70, 80, 90])
  }

  @Test func rangesOfAwkwardData() {
    func range(_ values: [Double], _ scale: AxisScale = .linear) -> AxisRange? {
      AxisRange(covering: values, scale: scale, margin: 0)
    }
    #expect(range([]) == nil)
    #expect(range([0, 0]) == AxisRange(low: -0.5, high: 0.5))
    #expect(range([1e-250]) == AxisRange(low: -0.5, high: 0.5))
    #expect(range([4, 4, 4]) == AxisRange(low: 2, high: 6))
    #expect(range([-4]) == AxisRange(low: -6, high: -2))
    #expect(range([1, 1 + 1e-12]).map { ($0.span * 100).rounded() } == 100)
    #expect(range([-1, 3]) == AxisRange(low: -1, high: 3))
    #expect(range([10], .logarithmic).map { ($0.low * 10).rounded() } == 32)
  }

  /// Whatever the range, ticks are inside, ascending, few, and labelled differently.
  @Test func everyRangeHasGoodTicks() throws {
    let magnitudes = [1e-200, 1e-30, 3e-5, 0.1, 1, 7, 999, 123_456, 1e6, 5e15, 1e200]
    for magnitude in magnitudes {
      for other in [-1, -0.3, 0, 0.5, 0.99, 1 - 1e-8, 1] {
        for scale in [AxisScale.linear, .logarithmic] where scale == .linear || other > 0 {
          let values = [magnitude, magnitude * other]
          let range = try #require(AxisRange(covering: values, scale: scale))
          #expect(range.low < range.high && range.place(of: magnitude).isFinite)
          for count in 1...9 {
            let ticks = range.ticks(about: count)
            let texts = ticks.compactMap { $0.text }
            #expect(!texts.isEmpty && texts.count <= 2 * count + 3, "\(values) \(scale) \(texts)")
            #expect(Set(texts).count == texts.count, "\(texts)")
            for (tick, next) in zip(ticks, ticks.dropFirst()) { #expect(tick.value < next.value) }
            for tick in ticks { #expect((-1e-5...1 + 1e-5).contains(range.place(of: tick.value))) }
          }
        }
      }
    }
  }

  @Test func wideLabelsAreFewer() {
    let range = AxisRange(low: 0, high: 1e7)
    let ticks = range.ticks(about: 9, along: 100) { _ in 30 }
    #expect(ticks.count <= 3 && !ticks.isEmpty)
  }

  @Test func numbers() {
    func plain(_ mantissa: Int, _ exponent: Int) -> String {
      DecimalNumber(mantissa: mantissa, exponent: exponent).plain
    }
    #expect(plain(0, 3) == "0" && plain(0, -2) == "0.00" && plain(12, 2) == "1200")
    #expect(plain(-5, -3) == "−0.005" && plain(1234, -2) == "12.34" && plain(7, 0) == "7")
    #expect(DecimalNumber(mantissa: -250, exponent: 5).scientific == "−2.5e7")
    #expect(DecimalNumber(mantissa: 1, exponent: -7).scientific == "1e−7")
    #expect(DecimalNumber(mantissa: 3, exponent: -1).value == 0.3)
  }
}
