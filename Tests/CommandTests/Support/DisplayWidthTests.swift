import Testing

@testable import WeftCommand

@Suite struct DisplayWidthTests {
  @Test(arguments: [
    ("", 0), ("plain text", 10), ("café", 4), ("cafe\u{301}", 4), ("王先生", 6), ("ｆｕｌｌ", 8),
    ("ﾊﾝｶｸ", 4), ("한국", 4), ("\u{1112}\u{1161}\u{11AB}", 2), ("😀", 2), ("👩‍👩‍👧", 2),
    ("👍🏽", 2), ("🇫🇷", 2), ("❤️", 2), ("❤", 1), ("⌚", 2), ("a\u{200B}b", 2), ("\u{FEFF}", 0),
    ("\u{301}", 0), ("𠀀", 2), ("“”…–", 4), ("\u{1B}", 0),
  ])
  func columns(text: String, width: Int) {
    #expect(DisplayWidth.of(text) == width)
  }

  @Test func controlCharactersAreShownNotSent() {
    #expect(DisplayWidth.visible("a\u{1B}[2Jb\r\n\u{7F}\u{9B}\t") == "a␛[2Jb␍␊␡\u{FFFD} ")
    #expect(DisplayWidth.visible("a\u{202E}b\u{2028}") == "ab")
    #expect(DisplayWidth.visible("👩‍👩‍👧 é") == "👩‍👩‍👧 é")
  }

  @Test func paddingCountsColumns() {
    #expect(DisplayWidth.padded("王", to: 4) == "王  ")
    #expect(DisplayWidth.padded("王", to: 4, alignedRight: true) == "  王")
    #expect(DisplayWidth.padded("longer", to: 4) == "longer")
  }
}
