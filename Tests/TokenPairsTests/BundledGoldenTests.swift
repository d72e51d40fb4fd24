import Foundation
import Testing
import Weft

/// The bundled model against PyTorch, with nothing but what the checkout holds.
@Suite struct BundledGoldenTests {
  private struct Line: Decodable {
    struct Span: Decodable {
      let start: Int
      let end: Int
      let label: String
      let score: Float
    }
    let text: String
    let entities: [Span]
  }

  @Test func scoresArePyTorchs() async throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens/litbank-tiny.jsonl")
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
      .map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
    #expect(lines.count == 80)
    let extractor = try await Extractor(
      model: BundledModels.directory(), on: try await Engine(),
      options: Extractor.Options(threshold: -0.04))
    var compared = 0
    for try await document in extractor.documents(in: lines.map(\.text)) {
      var wanted = lines[document.index].entities.filter { $0.score > -0.03 }
      for entity in document.entities {
        let at = wanted.firstIndex {
          $0.start == entity.codePoints.lowerBound && $0.end == entity.codePoints.upperBound
            && $0.label == entity.label
        }
        guard let at else {
          #expect(entity.score < -0.02, "sentence \(document.index): \(entity.label) \(entity.text) is surplus")
          continue
        }
        #expect(abs(wanted[at].score - entity.score) < 1e-3)
        wanted.remove(at: at)
        compared += 1
      }
      #expect(wanted.isEmpty, "sentence \(document.index) lacks \(wanted)")
    }
    #expect(compared == 62)  // all that the file holds above -0.03
  }
}
