import TestDevices
import Testing
import Weft

/// What the documentation shows, with nothing but the public API.
@Suite struct LibraryExampleTests {
  @Test func documentsComeFromAListOfTexts() async throws {
    let engine = try await Engine(TestDevice.hasOpenCL ? .openCL(index: nil) : .reference)
    let extractor = try await Extractor(model: BundledModels.directory(), on: engine)
    #expect(extractor.labels == ["FAC", "GPE", "LOC", "ORG", "PER", "VEH"])

    let texts = ["Mr. Bennet went to London .", "", "Elizabeth saw the old house ."]
    var documents: [ExtractedDocument] = []
    for try await document in extractor.documents(in: texts) {
      #expect(document.index == documents.count)
      documents.append(document)
      for entity in document.entities {
        #expect(!entity.label.isEmpty && !entity.text.isEmpty)
        #expect(document.text[entity.range] == entity.text)
        #expect(entity.probability > 0.5 && entity.probability <= 1)
        #expect(entity.score > 0)
      }
    }
    #expect(documents.map(\.text) == texts)
    #expect(documents[0].entities.contains { $0.label == "PER" && $0.text == "Mr. Bennet" })
    #expect(documents[0].entities.contains { $0.label == "GPE" && $0.text == "London" })
    #expect(documents[0].tokenCount > 6)
    #expect(documents[1].entities.isEmpty)
    #expect(engine.memory.bytes > 0)
  }

  @Test func documentsComeFromAStream() async throws {
    let engine = try await Engine(TestDevice.hasOpenCL ? .openCL(index: nil) : .reference)
    let extractor = try await Extractor(model: BundledModels.directory(), on: engine)
    let (texts, continuation) = AsyncStream.makeStream(of: String.self)
    var documents = extractor.documents(in: texts).makeAsyncIterator()
    for number in 0..<3 {
      continuation.yield("Alice met Mr. Smith \(number) times .")
      let document = try await documents.next()
      #expect(document?.index == number)
      #expect(document?.entities.contains { $0.text == "Alice" } == true)
    }
    continuation.finish()
    #expect(try await documents.next() == nil)
  }
}
