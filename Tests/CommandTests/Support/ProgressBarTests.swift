import Testing

@testable import WeftCommand

@Suite struct ProgressBarTests {
  /// A bar on a made-up terminal, with a clock that the test moves.
  private final class Fixture {
    var now = Duration.zero
    var drawn: [String] = []
    var columns: Int
    private let total: Int?
    private let terminal: Terminal
    lazy var bar = ProgressBar(
      title: "extract", total: total, terminal: terminal, width: { [unowned self] in columns },
      clock: { [unowned self] in now }, sink: { [unowned self] in drawn.append($0) })

    init(total: Int?, columns: Int = 100, terminal: Terminal = Terminal(canRedraw: true)) {
      (self.total, self.columns, self.terminal) = (total, columns, terminal)
    }

    var last: String { drawn.last.map { String($0.dropFirst(5)) } ?? "" }
  }

  private static let erase = "\r\u{1B}[2K"

  @Test func lineSaysHowFarHowFastHowLong() {
    let fixture = Fixture(total: 10_000)
    fixture.now = .seconds(20)
    fixture.bar.advance(documents: 5000, tokens: 1_000_000)
    #expect(fixture.drawn.count == 1)
    #expect(fixture.drawn[0].hasPrefix(Self.erase))
    #expect(fixture.last.hasPrefix("extract  ━━━━"))
    #expect(
      fixture.last.hasSuffix(
        "──  50%  5,000/10,000  250 docs/s  50.0k tokens/s  ETA 0:20"))
  }

  @Test func drawingIsLimitedToTenASecond() {
    let fixture = Fixture(total: 1000)
    for step in 0..<1000 {
      fixture.now = .milliseconds(step)
      fixture.bar.advance(tokens: 3)
    }
    #expect(fixture.drawn.count == 10)
  }

  @Test(arguments: [1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 200])
  func everyWidthIsKept(columns: Int) {
    for (total, terminal) in [
      (100, Terminal()), (nil, Terminal()), (100, Terminal(isUnicode: false)),
    ] as [(Int?, Terminal)] {
      let fixture = Fixture(total: total, columns: columns, terminal: terminal)
      fixture.now = .seconds(3)
      fixture.bar.advance(documents: 33, tokens: 4711)
      #expect(DisplayWidth.of(fixture.last) < max(columns, 1))
    }
  }

  @Test func widthIsAskedEachTime() {
    let fixture = Fixture(total: 100, columns: 120)
    fixture.bar.advance(tokens: 1)
    #expect(fixture.last.contains("─"))
    (fixture.columns, fixture.now) = (15, .seconds(1))
    fixture.bar.advance(tokens: 1)
    #expect(fixture.last == "2%  2/100")
  }

  @Test func unknownTotalSpins() {
    let fixture = Fixture(total: nil)
    var gauges: Set<Character> = []
    for second in 1...3 {
      fixture.now = .seconds(second)
      fixture.bar.advance(documents: 10, tokens: 100)
      gauges.insert(Array(fixture.last)[9])
    }
    #expect(gauges.count == 3)
    #expect(fixture.last.hasSuffix("  30  10.0 docs/s  100 tokens/s"))
  }

  /// The remark is said first, and is the first to give way.
  @Test func remarksTakeTheRoomThatIsLeft() {
    let remark = "12 tied, 王 3"
    for columns in 30...130 {
      let fixture = Fixture(total: 100, columns: columns)
      fixture.bar.remark = remark
      fixture.now = .seconds(2)
      fixture.bar.advance(documents: 50, tokens: 0)
      #expect(DisplayWidth.of(fixture.last) < columns)
      #expect(fixture.last.contains(remark) == (columns >= 69), "\(columns): \(fixture.last)")
      if columns >= 69 { #expect(fixture.last.hasSuffix("  \(remark)  50%  50/100  25.0 docs/s  ETA 0:02")) }
    }
    let changing = Fixture(total: 100)
    for (second, remark) in ["first", "second", ""].enumerated() {
      changing.bar.remark = remark
      changing.now = .seconds(second + 1)
      changing.bar.advance(tokens: 0)
      #expect(changing.last.contains(remark.isEmpty ? "─  3%" : "  \(remark)  "))
    }
  }

  @Test func moreThanTheTotalDoesNoHarm() {
    let fixture = Fixture(total: 10)
    fixture.now = .seconds(1)
    fixture.bar.advance(documents: 20, tokens: 0)
    #expect(fixture.last.contains("100%  20/10"))
    let empty = Fixture(total: 0)
    empty.now = .seconds(1)
    empty.bar.advance(documents: 1, tokens: 0)
    #expect(empty.last.contains("1/0"))
  }

  @Test func barIsErasedAtTheEnd() {
    let fixture = Fixture(total: 2)
    fixture.now = .seconds(2)
    fixture.bar.advance(documents: 2, tokens: 400)
    #expect(fixture.bar.finish() == "2 documents in 2.00 s, 1.00 docs/s, 200 tokens/s")
    #expect(fixture.drawn.last == Self.erase)
    let unused = Fixture(total: 2)
    #expect(unused.bar.finish() == "0 documents in 0 s")
    #expect(unused.drawn.isEmpty)
  }

  @Test func clearedBarComesBack() {
    let fixture = Fixture(total: 9)
    fixture.bar.advance(tokens: 1)
    fixture.bar.clear()
    fixture.bar.clear()
    #expect(fixture.drawn.count == 2)
    fixture.bar.advance(tokens: 1)
    #expect(fixture.last.contains("2/9"))
  }

  @Test func speedLooksBackTenSeconds() {
    var state = ProgressState(total: 1000)
    state.advance(documents: 100, tokens: 0)
    state.sample(at: .seconds(1))
    #expect(state.documentsPerSecond == 100)
    for second in 2...30 {
      state.advance(documents: 1, tokens: 10)
      state.sample(at: .seconds(second))
    }
    #expect(state.documentsPerSecond == 1)
    #expect(state.tokensPerSecond == 10)
    #expect(state.remainingSeconds == 871)
  }

  @Test(arguments: [
    (0.0, "0"), (0.0423, "0.04"), (7.25, "7.25"), (42.31, "42.3"), (999.4, "999"),
    (999.6, "1.00k"), (61_234, "61.2k"), (4.51e6, "4.51M"), (2e9, "2.00G"), (.infinity, "–"),
  ])
  func shortNumbers(value: Double, text: String) {
    #expect(Quantity.short(value) == text)
  }

  @Test func timesAndCounts() {
    #expect(Quantity.clock(seconds: 6.2) == "0:07")
    #expect(Quantity.clock(seconds: 3723) == "1:02:03")
    #expect(Quantity.clock(seconds: 273_600) == "3 d 4 h")
    #expect(Quantity.grouped(1_234_567) == "1,234,567")
    #expect(Quantity.grouped(-999) == "-999")
  }
}
