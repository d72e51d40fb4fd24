import Foundation
import Testing

/// `weft show` as a user meets it. It computes nothing, so no device is needed.
@Suite struct ShowTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let entities = #"""
    {"id": "a", "text": "Mr. Reed's brother left.", "entities": [{"start": 0, "end": 18, "label": "PER", \#
    "text": "Mr. Reed's brother", "score": 4.5, "probability": 1.0}, \#
    {"start": 4, "end": 8, "label": "PER", "score": -0.5}]}
    """#
  private static let relations = #"""
    {"text": "Ann of Bath", "relations": [{"subject": {"start": 0, "end": 3, "label": "PER", \#
    "text": "Ann", "score": 3}, "predicate": "Lives_In", "object": {"start": 7, "end": 11, "label": "LOC", "text": "Bath", "score": 3}, \#
    "score": 2.25}]}
    """#
  private static let events = #"""
    {"text": "王被裁", "events": [{"type": "裁员", "arguments": [{"role": "谁", "start": 0, "end": 1}, \#
    {"role": "trigger", "start": 2, "end": 3}]}]}
    """#

  // MARK: Terminal

  @Test func everyKindIsDrawn() async throws {
    let input = [Self.entities, Self.relations, Self.events].joined(separator: "\n\n")  // blank lines are passed over
    let run = try await Weft.run("show", input: input)
    #expect(run.status == 0 && run.errorText.isEmpty)
    func rule(_ name: String) -> String { "── \(name) " + String(repeating: "─", count: 76 - name.count) }
    #expect(
      run.text == """
        \(rule("a"))
          [Mr. [Reed PER]'s brother PER] left.

        \(rule("line 3"))
          [Ann PER] of [Bath LOC]

          Ann  ──Lives_In──▶  Bath  2.25

        \(rule("line 5"))
          [王 谁]被[裁 trigger]

          裁员
          ├ trigger  裁
          ╰ 谁       王

        entities   PER 3   LOC 1
        relations  Lives_In 1
        events     裁员 1
        roles      trigger 1   谁 1

        """)
  }

  @Test func coloursAndLocaleAreFollowed() async throws {
    let colours = ["CLICOLOR_FORCE": "1", "TERM": "xterm-256color", "NO_COLOR": nil, "LC_ALL": "C.UTF-8"]
    let drawn = try await Weft.run(["show"], input: Self.entities, environment: colours)
    #expect(drawn.text.contains("\u{1B}[") && drawn.text.contains("╰"))
    let ascii = try await Weft.run(
      ["show"], input: Self.relations, environment: ["LC_ALL": "C", "CLICOLOR_FORCE": nil])
    #expect(ascii.text.contains("Ann  --Lives_In-->  Bath"))
    #expect(ascii.text.unicodeScalars.allSatisfy { $0.isASCII })
  }

  @Test func nothingIsCutInAFile() async throws {
    let name = String(repeating: "long ", count: 60)
    let line = #"""
      {"text": "\#(name)", "triples": [{"subject": {"start": 0, "end": 299}, "predicate": "p", \#
      "object": {"start": 0, "end": 4}}]}
      """#
    let run = try await Weft.run("show", input: line)
    #expect(run.lines.contains("  \(name.dropLast())  ──p──▶  long"))
  }

  @Test func selectionIsFollowed() async throws {
    let input = [Self.entities, Self.relations, Self.events, Self.entities].joined(separator: "\n")
    let only = try await Weft.run("show", "--only", "relations", input: input)
    #expect(only.text.contains("Lives_In") && !only.text.contains("Reed") && !only.text.contains("裁"))
    #expect(only.status == 0 && only.complaints == ["weft: 3 lines without relations not shown"])
    let limited = try await Weft.run("show", "--limit", "2", input: input)
    #expect(limited.text.contains("Lives_In") && !limited.text.contains("裁") && limited.status == 0)
    let sure = try await Weft.run("show", "--min-score", "-0.25", input: input)
    #expect(sure.text.contains("[Mr. Reed's brother PER]") && sure.text.contains("[王 谁]"))
  }

  @Test(arguments: ["codepoint", "utf16", "utf8"])
  func offsetsOfEveryUnitAreUnderstood(unit: String) async throws {
    let places = ["codepoint": (2, 5), "utf16": (3, 6), "utf8": (5, 8)]
    let (start, end) = try #require(places[unit])
    let line =
      #"{"text": "😀 Ann!!!", "entities": [{"start": \#(start), "end": \#(end), "label": "PER", "text": "Ann"}]}"#
    let run = try await Weft.run("show", "--offsets", unit, input: line)
    #expect(run.status == 0 && run.errorText.isEmpty)
    #expect(run.text.contains("😀 [Ann PER]!!!"))
  }

  @Test func offsetsOfAnotherUnitAreNoticed() async throws {
    let line = #"{"text": "😀 Ann!", "entities": [{"start": 3, "end": 6, "label": "PER", "text": "Ann"}]}"#
    let run = try await Weft.run("show", input: line)
    #expect(run.status == 0 && run.complaints.count == 1)
    #expect(run.errorText.contains("in 1 line") && run.errorText.contains("'Ann' and 'nn!'"))
    #expect(run.errorText.contains("--offsets"))
  }

  // MARK: Bad input

  @Test func brokenLinesCostThemselves() async throws {
    let lines = [
      #"{"text": "#, Self.relations, "", #"{"text": "ab", "entities": [{"start": 1, "end": 9, "label": "X"}]}"#,
      #"{"line": 2, "error": "too \u001b[2J long"}"#, "[]",
    ]
    let run = try await Weft.run("show", input: lines.joined(separator: "\n"))
    #expect(run.status == 3)
    #expect(run.complaints == ["weft: 3 lines could not be used; each is named in its place"])
    let heads = run.lines.filter { $0.hasPrefix("── ") }.map { $0.replacing(/[─ ]+$/, with: "") }
    #expect(heads == ["── line 1", "── line 2", "── line 4", "── line 2", "── line 6"])
    let errors = run.lines.filter { $0.hasPrefix("  error: ") }
    #expect(errors.count == 4)
    #expect(errors[0].contains("malformed JSON at byte 9"))
    #expect(errors[1].contains("a span from 1 to 9 does not lie in a text of 2 code points"))
    #expect(errors[2] == "  error: too ␛[2J long")
    #expect(errors[3].contains("not a JSON object"))
    #expect(run.text.contains("Ann  ──Lives_In──▶  Bath"))
  }

  @Test func failuresOfEarlierRunsAreNoFailuresOfThisOne() async throws {
    let run = try await Weft.run("show", input: #"{"line": 2, "error": "x"}"#)
    #expect(run.status == 0 && run.errorText.isEmpty && run.text.contains("error: x"))
  }

  @Test(arguments: [
    (["--limit", "0"], "--limit"), (["--min-score", "nan"], "--min-score"), (["--only", "verbs"], "--only"),
    (["--offsets", "bytes"], "--offsets"), (["--html", "page.pdf"], "--html"), (["--color"], "--color"),
  ])
  func wrongCallsEndWith64(arguments: [String], named: String) async throws {
    let run = try await Weft.run(["show"] + arguments)
    #expect(run.status == 64 && run.output.isEmpty)
    #expect(run.complaints[0].contains(named))
  }

  @Test func helpNamesEveryOption() async throws {
    let run = try await Weft.run("show", "--help")
    for name in ["--html", "--limit", "--only", "--min-score", "--offsets", "<input>", "relations", "utf16"] {
      #expect(run.text.contains(name), "\(name)")
    }
    for line in run.lines { #expect(line.count <= 80, "\(line)") }
  }

  // MARK: Streams and files

  @Test func filesFollowOneAnother() async throws {
    _ = try folder.file("1.jsonl", Self.entities.utf8)
    _ = try folder.file("2.jsonl", Self.events.utf8)
    let run = try await Weft.run(
      ["show", "1.jsonl", "-", "2.jsonl"], input: Self.relations + "\n", directory: folder.path)
    let places = ["Reed PER", "Lives_In──▶", "line 3"].compactMap { run.text.range(of: $0)?.lowerBound }
    #expect(places.count == 3 && places == places.sorted())
    let missing = try await Weft.run(["show", "1.jsonl", "3.jsonl"], directory: folder.path)
    #expect(missing.status == 1 && missing.output.isEmpty)
    #expect(missing.errorText == "Error: cannot read 3.jsonl: No such file or directory\n")
  }

  @Test func endlessInputIsShownAsItComes() async throws {
    let run = try await Weft.shell(#"yes '{"text":"a"}' | "$WEFT" show --limit 3"#)
    #expect(run.lines.filter { $0 == "  a" }.count == 3)
    let left = try await Weft.shell(#"yes '{"text":"a"}' | { "$WEFT" show; echo "status $?" >&2; } | head -1"#)
    #expect(left.lines.count == 1 && left.errorText == "status 0\n")
  }

  @Test func pageAppearsComplete() async throws {
    _ = try folder.file("in.jsonl", "\(Self.entities)\n{}\n\(Self.relations)\n\(Self.events)".utf8)
    let run = try await Weft.run(["show", "in.jsonl", "--html", "out.html"], directory: folder.path)
    #expect(run.status == 3 && run.output.isEmpty)
    #expect(run.complaints == ["weft: 1 line could not be used; each is named in its place"])
    #expect(folder.names == ["in.jsonl", "out.html"])
    let page = try PageElement.read(page: try #require(folder.contents(of: "out.html")))
    #expect(page.all("h1").map(\.text) == ["in.jsonl"])
    #expect(page.all("article").count == 4 && page.all(class: "failure").count == 1)
    #expect(page.all(class: "r").count == 1 && page.all(class: "event").count == 1)
    let same = try await Weft.run(["show", "in.jsonl", "--html", "-"], directory: folder.path)
    #expect(same.text == folder.contents(of: "out.html"))
  }

  @Test func pageThatFailsLeavesNothing() async throws {
    _ = try folder.file("old.html", "before".utf8)
    let run = try await Weft.run(["show", "missing.jsonl", "--html", "old.html"], directory: folder.path)
    #expect(run.status == 1 && folder.names == ["old.html"] && folder.contents(of: "old.html") == "before")
    let nowhere = try await Weft.run("show", "--html", "/no/such/folder/out.html")
    #expect(nowhere.status == 1 && nowhere.errorText.contains("cannot write /no/such/folder/out.html"))
  }

  @Test(.enabled(if: Places.hasDevice, "needs an OpenCL device"))
  func whatExtractWritesIsShown() async throws {
    _ = try folder.file("in.jsonl", Samples.jsonLines(Samples.manyScripts).utf8)
    for unit in ["codepoint", "utf16", "utf8"] {
      let run = try await Weft.shell(
        #""$WEFT" extract --offsets \#(unit) in.jsonl | "$WEFT" show --offsets \#(unit)"#, directory: folder.path)
      #expect(run.status == 0 && run.complaints.isEmpty)
      #expect(run.text.contains("[London GPE]") || run.text.contains("[Paris GPE]"))
    }
  }

  // MARK: True answers

  @Test(
    .enabled(if: Places.hasShared("data/duee/dev.jsonl"), "needs ../shared"),
    arguments: ["litbank", "conll04", "duee"])
  func pagesHoldEverythingInTheData(name: String) async throws {
    let data = Places.shared("data/\(name)/dev.jsonl")
    let gold = try String(contentsOfFile: data, encoding: .utf8).split(separator: "\n").map {
      try JSONObject(String($0))
    }
    let run = try await Weft.run(["show", data, "--html", "-"])
    #expect(run.status == 0 && run.errorText.isEmpty)
    let articles = try PageElement.read(page: run.text).all("article")
    #expect(articles.count == gold.count && gold.count > 200)
    for (article, line) in zip(articles, gold) {
      let text = try line.string("text")
      #expect(try article.first(class: "text").text == text)
      let scalars = Array(text.unicodeScalars)
      func slice(_ span: JSONObject) throws -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars[try span.integer("start")..<span.integer("end")])
        return String(text)
      }
      if line.names.contains("entities") {
        let spans = Set(
          try line.objects("entities").map { try "\($0.integer("start")) \($0.integer("end")) \($0.string("label"))" })
        #expect(article.all(class: "s").filter { $0.attributes["data-l"] != nil }.count == spans.count)
      }
      if line.names.contains("triples") {
        let expected = try line.objects("triples").map {
          try "\(slice($0.object("subject"))) \($0.string("predicate")) → \(slice($0.object("object")))"
        }
        #expect(article.all(class: "r").map(\.text) == expected)
      }
      if line.names.contains("events") {
        let events = try line.objects("events")
        let cards = article.all(class: "event")
        let types = try events.map { try $0.string("type") }
        #expect(cards.flatMap { $0.all("h3").map(\.text) } == types)
        for (card, event) in zip(cards, events) {
          let texts = try event.objects("arguments").map(slice)
          #expect(card.all("dd").map(\.text).sorted() == texts.sorted())
        }
      }
    }
  }
}
