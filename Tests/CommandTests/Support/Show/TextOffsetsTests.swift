import Testing

@testable import WeftCommand

@Suite struct TextOffsetsTests {
  /// A letter of 1 byte, an emoji of 1 code point, 2 UTF-16 units and 4 bytes, and a letter of 2 bytes.
  private let text = "a😀é!"

  private func codePoints(_ start: Int, _ end: Int, _ unit: OffsetUnit) throws -> Range<Int> {
    try TextOffsets(text, unit: unit).codePoints(from: start, to: end)
  }

  @Test func everyUnitLeadsToTheSamePlace() throws {
    #expect(try codePoints(1, 3, .codepoint) == 1..<3)
    #expect(try codePoints(1, 4, .utf16) == 1..<3)
    #expect(try codePoints(1, 7, .utf8) == 1..<3)
    for (unit, length) in [(OffsetUnit.codepoint, 4), (.utf16, 5), (.utf8, 8)] {
      #expect(try codePoints(0, length, unit) == 0..<4)
    }
    #expect(TextOffsets(text, unit: .utf8)[1..<3] == "😀é")
  }

  @Test func accentsCountByThemselves() throws {
    let offsets = TextOffsets("cafe\u{301}s", unit: .codepoint)
    #expect(offsets[try offsets.codePoints(from: 3, to: 5)].unicodeScalars.elementsEqual("e\u{301}".unicodeScalars))
    #expect(offsets[try offsets.codePoints(from: 3, to: 4)] == "e")
  }

  @Test(arguments: [(-1, 1), (0, 0), (2, 1), (0, 5), (5, 6), (0, Int.max)])
  func placesOutsideAreRefused(start: Int, end: Int) {
    let error = #expect(throws: LineFailure.self) { try codePoints(start, end, .codepoint) }
    #expect(error?.message == "a span from \(start) to \(end) does not lie in a text of 4 code points")
  }

  @Test func halvesOfCharactersAreRefused() {
    for (start, end, unit) in [(2, 4, OffsetUnit.utf16), (1, 2, .utf16), (0, 3, .utf8), (6, 8, .utf8)] {
      let error = #expect(throws: LineFailure.self) { try codePoints(start, end, unit) }
      #expect(error?.message.contains("cuts a character in two") == true)
      #expect(error?.message.contains("--offsets") == true)
    }
  }
}
