import Engine
import Memory
import TestDevices
import Testing

@testable import TokenPairs

/// Host memory that the system does not give while texts are read.
@Suite struct RefusedExtractionMemoryTests {
  private static let texts = ["Mr. Bennet .", "", "London", "Elizabeth met Mr. Darcy ."]

  private func outcomes(_ extractor: Extractor) async throws -> [Result<ExtractedDocument, EngineError>] {
    var outcomes: [Result<ExtractedDocument, EngineError>] = []
    for try await outcome in extractor.outcomes(in: AsyncTexts(Self.texts)) { outcomes.append(outcome) }
    return outcomes
  }

  /// What fits comes, in the order of the texts, whichever request is refused; what does not is an error of its own.
  @Test func finishedTextsAreKept() async throws {
    let extractor = try await Extractors.load(.reference, .init())
    let (expected, requests) = try await HostAllocation.refusing(nil) { try await outcomes(extractor) }
    let documents = try expected.map { try $0.get() }
    for occurrence in stride(from: 1, through: requests, by: max(1, requests / 8)) {
      let (found, _) = try await HostAllocation.refusing(occurrence) { try await outcomes(extractor) }
      #expect(found.count == documents.count)
      for (outcome, document) in zip(found, documents) {
        switch outcome {
        case .success(let found): #expect(found.entities == document.entities && found.text == document.text)
        case .failure(let error): #expect(error.kind == .exhausted, "request \(occurrence): \(error)")
        }
      }
      #expect(found.contains { (try? $0.get()) != nil }, "request \(occurrence)")
    }
  }
}
