import TestDevices
import Weft

@testable import TokenPairs

/// Extractors with the bundled model.
enum Extractors {
  /// Loads the bundled model anew.
  static func load(
    _ device: TestDevice, _ options: Extractor.Options = .init()
  ) async throws -> Extractor {
    try await Extractor(
      model: BundledModels.directory(), on: device.engine(), options: options)
  }

  /// With the usual options on the OpenCL device, loaded once.
  static func openCL() async throws -> Extractor { try await shared.value }

  private static let shared = Task { try await load(.openCL) }
}

extension Extractor {
  /// The documents of some texts, all at once.
  func documents(of texts: [String]) async throws -> [ExtractedDocument] {
    var documents: [ExtractedDocument] = []
    for try await document in self.documents(in: texts) { documents.append(document) }
    return documents
  }
}
