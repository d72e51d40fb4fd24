import Testing

@testable import WeftCommand

@Suite struct ShownLineTests {
  private func read(_ line: String, _ unit: OffsetUnit = .codepoint) throws -> ShownLine {
    let input = InputLine(number: 7, numberInSource: 2, source: "in", content: .success(Array(line.utf8)))
    return try ShownLine(input, offsets: unit)
  }

  private func document(_ line: String, _ unit: OffsetUnit = .codepoint) throws -> ShownDocument {
    guard case .document(let document) = try read(line, unit) else {
      Issue.record("not a document: \(line)")
      return ShownDocument(line: 0, text: "")
    }
    return document
  }

  @Test func whatExtractWritesIsRead() throws {
    let document = try document(
      """
      {"id": "a", "text": "Ann of Bath", "entities": [{"start": 0, "end": 3, "label": "PER", "text": "Ann",
      "score": 9.5, "probability": 0.75}], "relations": [{"subject": {"start": 0, "end": 3, "label": "PER", "text":
      "Ann", "score": 1}, "predicate": "From", "object": {"start": 7, "end": 11}, "score": 2.5}], "truncated": true}
      """)
    #expect(document.name == "a" && document.line == 7 && document.text == "Ann of Bath")
    #expect(document.entities == [.init(range: 0..<3, label: "PER", score: 9.5, probability: 0.75)])
    #expect(
      document.relations == [
        .init(
          subject: .init(range: 0..<3, label: "PER", text: "Ann"), predicate: "From",
          object: .init(range: 7..<11, label: nil, text: "Bath"), score: 2.5)
      ])
    #expect(document.isTruncated && document.mismatch == nil)
  }

  @Test func trueAnswersAreRead() throws {
    let triples = try document(
      """
      {"text": "ab", "triples": [{"subject": {"start": 0, "end": 1}, "predicate": "p",
      "object": {"start": 1, "end": 2}}]}
      """
    )
    #expect(triples.name == "line 7")
    #expect(triples.relations.map(\.predicate) == ["p"] && triples.relations[0].score == nil)
    let both = try document(#"{"text": "ab", "relations": [], "triples": [{"nothing": 1}]}"#)
    #expect(both.relations.isEmpty)
  }

  @Test func triggerComesFirstAndRolesStayTogether() throws {
    let document = try document(
      """
      {"text": "abcdef", "events": [{"type": "T", "arguments": [{"role": "who", "start": 0, "end": 1},
      {"role": "when", "start": 1, "end": 2}, {"role": "trigger", "start": 2, "end": 3}, {"role": "who", "start": 3,
      "end": 4, "text": "d", "score": 0.5}]}]}
      """)
    let arguments = try #require(document.events.first).arguments
    #expect(arguments.map(\.role) == ["trigger", "who", "who", "when"])
    #expect(arguments.map(\.text) == ["c", "a", "d", "b"])
    #expect(arguments.map(\.score) == [nil, nil, 0.5, nil])
  }

  @Test func idsOfAnyKindAreNames() throws {
    #expect(try document(#"{"text": "a", "id": 12}"#).name == "12")
    #expect(try document(#"{"text": "a", "id": [1, "x"]}"#).name == #"[1, "x"]"#)
    #expect(try document(#"{"text": "a", "id": null}"#).name == "line 7")
  }

  @Test func linesThatFailedAreShownAsSuch() throws {
    guard case .failure(let line, let message) = try read(#"{"line": 3, "error": "no \"text\" member"}"#) else {
      Issue.record("not a failure")
      return
    }
    #expect(line == 3 && message == "no \"text\" member")
  }

  @Test func offsetsOfAnotherUnitAreNoticed() throws {
    let line = #"{"text": "😀 Ann", "entities": [{"start": 3, "end": 6, "label": "PER", "text": "Ann"}]}"#
    #expect(try document(line, .utf16).mismatch == nil)
    #expect(try document(line, .utf16).entities[0].range == 2..<5)
    #expect(throws: LineFailure.self) { try document(line) }  // 6 is behind the end
    let inside = #"{"text": "😀 Ann!", "entities": [{"start": 3, "end": 6, "label": "PER", "text": "Ann"}]}"#
    let mismatch = try #require(try document(inside).mismatch)
    #expect(mismatch == ("Ann", "nn!"))
  }

  @Test(arguments: [
    (#"{"text": 7}"#, #""text" is a number, not a string"#),
    (#"{"line": 7}"#, #"no "text" member"#),
    (#"{"text": "a", "entities": 7}"#, #""entities" is not a list"#),
    (#"{"text": "a", "entities": [7]}"#, #""entities"[0] is not an object"#),
    (#"{"text": "a", "entities": [{"start": 0, "end": 1}]}"#, #""entities"[0] has no "label""#),
    (#"{"text": "a", "entities": [{"start": "0", "end": 1}]}"#, #""entities"[0].start is not a whole number"#),
    (#"{"text": "a", "entities": [{"start": 0, "end": 1, "label": 3}]}"#, #""entities"[0].label is not a string"#),
    (
      #"{"text": "a", "triples": [{"subject": {"start": 0}}]}"#, #""triples"[0].subject has no "end""#
    ),
    (
      #"{"text": "ab", "events": [{"type": "T", "arguments": [{"role": "r", "start": 1, "end": 3}]}]}"#,
      "a span from 1 to 3 does not lie in a text of 2 code points"
    ),
    (#"{"text": "a", "events": [{"arguments": []}]}"#, #""events"[0] has no "type""#),
  ])
  func badLinesSayWhatIsWrong(line: String, message: String) {
    do {
      _ = try read(line)
      Issue.record("read \(line)")
    } catch { #expect((error as? LineFailure)?.message ?? "\(error)" == message) }
  }

  @Test func selectionFollowsKindAndScore() throws {
    let document = try document(
      """
      {"text": "abc", "entities": [{"start": 0, "end": 1, "label": "low", "score": -1}, {"start": 0, "end": 2, "label":
      "high", "score": 2}, {"start": 1, "end": 2, "label": "none"}], "events": [{"type": "T", "arguments": [{"role":
      "r", "start": 0, "end": 1, "score": 0.5}]}]}
      """)
    let above = ShowSelection(minimumScore: 2).apply(to: document)
    #expect(above.entities.map(\.label) == ["high", "none"])
    #expect(above.events.isEmpty)
    let events = ShowSelection(only: .events)
    #expect(events.apply(to: document).entities.isEmpty && events.apply(to: document).events.count == 1)
    #expect(events.concerns(document) && !ShowSelection(only: .relations).concerns(document))
    #expect(ShowSelection().apply(to: document) == document)
  }
}

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
