import Testing
import Weft

@testable import TokenPairs

/// The devices that tests compute on.
enum TestDevice: String, CaseIterable, Sendable {
  case reference
  case openCL

  /// Those that this machine has.
  static let available: [TestDevice] = hasOpenCL ? allCases : [.reference]

  /// Whether there is an OpenCL device. A device that is there and does not open is no reason to skip.
  static var hasOpenCL: Bool {
    if case .failure(let error) = opened { return error.kind != .unknownDevice }
    return true
  }

  private static let opened = Result { () throws(EngineError) in
    try Engine(.openCL(index: nil), variant: nil)
  }

  func engine() async throws -> Engine {
    switch self {
    case .reference: try await Engine(.reference)
    case .openCL: try Self.opened.get()
    }
  }
}

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
