import Foundation
import Testing

@testable import WeftCommand

@Suite struct PageTests {
  private func page(_ lines: [ShownLine], title: String = "title") -> String {
    var page = Page()
    var writer = HTMLWriter()
    page.begin(title: title, to: &writer)
    for line in lines {
      switch line {
      case .document(let document): page.write(document, to: &writer)
      case .failure(let line, let message): page.writeFailure(line: line, message: message, to: &writer)
      }
    }
    page.end(to: &writer)
    return writer.string
  }

  private func argument(_ range: Range<Int>, _ text: String, _ label: String? = nil) -> ShownDocument.Argument {
    .init(range: range, label: label, text: text)
  }

  /// "Ann", "Bath" and "Bob" with everything in it twice.
  private var document: ShownDocument {
    var document = ShownDocument(id: "d1", line: 3, text: "Ann of Bath met Bob.")
    document.entities = [
      .init(range: 0..<3, label: "PER", score: 9.126, probability: 0.5), .init(range: 7..<11, label: "LOC"),
    ]
    document.relations = [
      .init(
        subject: argument(0..<3, "Ann", "PER"), predicate: "From", object: argument(7..<11, "Bath"), score: 1.5),
      .init(subject: argument(16..<19, "Bob"), predicate: "Knows", object: argument(0..<3, "Ann")),
    ]
    document.events = [
      .init(
        type: "Meeting",
        arguments: [
          .init(role: "trigger", range: 12..<15, text: "met"), .init(role: "who", range: 0..<3, text: "Ann", score: 2),
          .init(role: "who", range: 16..<19, text: "Bob"),
        ]),
      .init(type: "Empty", arguments: []),
    ]
    return document
  }

  @Test func everythingIsThereOnce() throws {
    let root = try PageElement.read(page: page([.document(document), .failure(line: 9, message: "bad")]))
    let articles = root.all("article")
    #expect(articles.count == 2)
    #expect(articles[1].text.contains("line 9") && articles[1].text.contains("bad"))

    let text = try articles[0].first(class: "text")
    #expect(text.text == document.text)
    #expect(text.attributes["dir"] == "auto")
    // Ann and Bath, Bob as the subject that has no label, and the three roles.
    let spans = text.all(class: "s")
    #expect(spans.map(\.text).sorted() == ["Ann", "Ann", "Bath", "Bob", "Bob", "met"])
    #expect(Set(spans.flatMap(\.marks)).count == spans.count)
    let labels = Dictionary(uniqueKeysWithValues: spans.map { ($0.marks[0], $0.attributes["data-l"]) })

    let relations = articles[0].all(class: "r")
    #expect(relations.map(\.text) == ["Ann From → Bath 1.50", "Bob Knows → Ann"])
    #expect(relations[0].marks.map { labels[$0] } == ["PER", "LOC"])
    #expect(relations[1].marks.map { labels[$0] } == ["subject", "PER"])

    let cards = articles[0].all(class: "event")
    #expect(cards.map { $0.all("h3").map(\.text) } == [["Meeting"], ["Empty"]])
    #expect(cards[0].all("dt").map(\.text) == ["trigger", "who"])
    #expect(cards[0].all("dd").map(\.text) == ["met", "Ann 2.00", "Bob"])
    #expect(cards[0].marks.map { labels[$0] } == ["trigger", "who", "who"])
    #expect(cards[0].all("dd").flatMap(\.marks) == cards[0].marks)
  }

  @Test func legendCountsEveryLabelOnce() throws {
    let root = try PageElement.read(page: page([.document(document), .document(document)]))
    let buttons = root.all("button")
    #expect(
      buttons.map(\.text) == [
        "PER 2", "LOC 2", "subject 2", "From 2", "Knows 2", "Meeting 2", "Empty 2", "who 4", "trigger 2",
      ])
    let keys = buttons.compactMap { $0.attributes["data-k"] }
    #expect(Set(keys).count == buttons.count)
    for article in root.all("article") {
      #expect(Set((article.attributes["data-k"] ?? "").split(separator: " ").map(String.init)) == Set(keys))
    }
    // A label looks the same in the legend and in the text.
    let from = try #require(buttons.first { $0.text == "From 2" })
    let predicates = root.all(class: "p").filter { $0.text == "From" }
    #expect(predicates.count == 2 && predicates.allSatisfy { $0.classes.dropFirst() == from.classes[...] })
    #expect(root.all(class: "count").map(\.text) == ["2 documents"])
  }

  @Test func scoresAreInTheTitles() throws {
    let root = try PageElement.read(page: page([.document(document)]))
    let titles = try root.first(class: "text").all(class: "s").compactMap { $0.attributes["title"] }
    #expect(titles.contains("PER, score 9.13, probability 0.50") && titles.contains("LOC"))
  }

  @Test func hostileTextStaysText() throws {
    let evil = #"</script><img src=x onerror="alert(1)">'&amp;<!--"# + "\u{0}\u{1B}[2J"
    let shown = #"</script><img src=x onerror="alert(1)">'&amp;<!--␀␛[2J"#
    let end = argument(0..<evil.unicodeScalars.count, evil, evil)
    var document = ShownDocument(id: evil, line: 1, text: evil)
    document.entities = [.init(range: 0..<3, label: evil)]
    document.relations = [.init(subject: end, predicate: evil, object: end)]
    document.events = [.init(type: evil, arguments: [.init(role: evil, range: 0..<5, text: evil)])]
    let html = page([.document(document), .failure(line: 1, message: evil)], title: evil)
    let root = try PageElement.read(page: html)
    #expect(!root.all.contains { $0.name == "img" || $0.name == "script" })
    #expect(!root.all.contains { $0.attributes.keys.contains { $0.hasPrefix("on") || $0 == "src" || $0 == "href" } })
    #expect(try root.first(class: "text").text == shown)
    #expect(root.all(class: "p").map(\.text) == [shown])
    #expect(root.all("h3").map(\.text) == [shown] && root.all("dt").map(\.text) == [shown])
    #expect(root.all(class: "failure").map { $0.all("p").map(\.text) } == [[shown]])
    #expect(html.components(separatedBy: "</script>").count == 2)
  }

  @Test func nothingIsAskedOfANetwork() throws {
    let html = page([.document(document)])
    let addresses = html.matches(of: /[a-z]+:\/\/[^'"\s]*/).map { String($0.output) }
    #expect(addresses == ["http://www.w3.org/2000/svg"])  // a name, not a place
    #expect(!html.contains("url(") && !html.contains("@import") && !html.contains("src="))
    let policy = try PageElement.read(page: html).all("meta").compactMap { $0.attributes["content"] }
    #expect(policy.contains { $0.hasPrefix("default-src 'none'") })
  }

  @Test func spansTooDeepToDrawAreListed() throws {
    var document = ShownDocument(line: 1, text: String(repeating: "a", count: 60))
    document.entities = (1...60).map { .init(range: 0..<$0, label: "L\($0)") }
    let root = try PageElement.read(page: page([.document(document)]))
    let drawn = try root.first(class: "text").all(class: "s").compactMap { $0.attributes["data-l"] }
    let listed = try root.first(class: "more").all("b").map(\.text)
    #expect(Set(drawn + listed) == Set((1...60).map { "L\($0)" }))
    #expect(drawn.count == SpanLevels.limit && listed.count == 60 - SpanLevels.limit)
  }

  @Test func veryLongTextsHaveTheirRelationsInTheListAlone() throws {
    for (length, isLong) in [(PageDocument.longestWithArcs, false), (PageDocument.longestWithArcs + 1, true)] {
      var document = ShownDocument(line: 1, text: String(repeating: "a", count: length))
      document.relations = [.init(subject: argument(0..<1, "a"), predicate: "p", object: argument(2..<3, "a"))]
      let root = try PageElement.read(page: page([.document(document)]))
      #expect(root.all(class: "plain").isEmpty != isLong && root.all(class: "note").isEmpty != isLong)
      #expect(root.all(class: "r").count == 1)
    }
  }

  @Test func emptyPageIsAPage() throws {
    let root = try PageElement.read(page: page([]))
    #expect(root.all("article").isEmpty && root.all("button").isEmpty)
    #expect(root.all(class: "count").map(\.text) == ["0 documents"])
  }

  // MARK: Colours

  /// The contrast of WCAG 2.1: relative luminance of sRGB.
  private func contrast(_ left: StaticString, _ right: StaticString) throws -> Double {
    func luminance(_ colour: StaticString) throws -> Double {
      let value = try #require(Int("\(colour)".dropFirst(), radix: 16))
      func linear(_ shift: Int) -> Double {
        let part = Double(value >> shift & 255) / 255
        return part <= 0.03928 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4)
      }
      return 0.2126 * linear(16) + 0.7152 * linear(8) + 0.0722 * linear(0)
    }
    let values = [try luminance(left), try luminance(right)].sorted()
    return (values[1] + 0.05) / (values[0] + 0.05)
  }

  @Test func coloursCanBeRead() throws {
    #expect(abs(try contrast("#ffffff", "#000000") - 21) < 0.01)
    for colour in PagePalette.colours {
      #expect(try contrast(colour.light, PagePalette.paper.light) >= 4.5)
      #expect(try contrast(colour.dark, PagePalette.paper.dark) >= 4.5)
    }
  }

  @Test func labelsLookDifferent() {
    let looks = (0..<48).map(PagePalette.classes)
    #expect(Set(looks).count == 48)
    #expect(PagePalette.classes(0) == "k0" && PagePalette.classes(13) == "k1 q1")
    #expect(PagePalette.classes(48) == "k0")
    var writer = HTMLWriter()
    PagePalette.write(to: &writer)
    for number in PagePalette.colours.indices { #expect(writer.string.contains(".k\(number){--c:var(--c\(number))")) }
  }
}
