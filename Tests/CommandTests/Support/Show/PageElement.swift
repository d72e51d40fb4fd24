import Foundation
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// An element of a page as an XML reader sees it: it would refuse what is not closed, nested or escaped.
final class PageElement {
  enum Node {
    case element(PageElement)
    case text(String)
  }

  let name: String
  let attributes: [String: String]
  fileprivate(set) var nodes: [Node] = []

  fileprivate init(_ name: String, _ attributes: [String: String]) { (self.name, self.attributes) = (name, attributes) }

  /// Reads a page but for its style and its script, which are not XML.
  static func read(page: String) throws -> PageElement {
    let bare = page.replacing(/<!DOCTYPE html>/, with: "").replacing(/(?s)<style>.*?<\/style>/, with: "")
    let script = try #require(bare.range(of: "<script>\n", options: .backwards))
    let end = try #require(bare.range(of: "</script>", range: script.upperBound..<bare.endIndex))
    return try read(bare[..<script.lowerBound] + bare[end.upperBound...])
  }

  static func read(_ markup: some StringProtocol) throws -> PageElement {
    let reader = Reader()
    let parser = XMLParser(data: Data(markup.utf8))
    parser.delegate = reader
    let isWhole = parser.parse()
    try #require(isWhole, "\(String(describing: parser.parserError)) in line \(parser.lineNumber)")
    return try #require(reader.root)
  }

  var classes: [Substring] { (attributes["class"] ?? "").split(separator: " ") }
  var elements: [PageElement] { nodes.compactMap { if case .element(let element) = $0 { element } else { nil } } }
  var text: String {
    nodes.map { if case .text(let text) = $0 { text } else if case .element(let inner) = $0 { inner.text } else { "" } }
      .joined()
  }

  /// The element and all inside it.
  var all: [PageElement] { [self] + elements.flatMap(\.all) }
  func all(_ name: String) -> [PageElement] { all.filter { $0.name == name } }
  func all(class name: Substring) -> [PageElement] { all.filter { $0.classes.contains(name) } }
  func first(class name: Substring) throws -> PageElement {
    try #require(all(class: name).first, "no element of class \(name)")
  }

  /// The numbers of marks that the element names.
  var marks: [Int] { (attributes["data-s"] ?? "").split(separator: " ").compactMap { Int($0) } }

  private final class Reader: NSObject, XMLParserDelegate {
    var root: PageElement?
    private var open: [PageElement] = []

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String] = [:]
    ) {
      let element = PageElement(name, attributes)
      open.last?.nodes.append(.element(element))
      if root == nil { root = element }
      open.append(element)
    }

    func parser(
      _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
    ) { open.removeLast() }

    func parser(_ parser: XMLParser, foundCharacters text: String) { open.last?.nodes.append(.text(text)) }
  }
}
