package import Engine
import Weft

/// The devices that tests of several modules compute on.
package enum TestDevice: String, CaseIterable, Sendable {
  case reference
  case openCL

  /// Those that this machine has.
  package static let available: [TestDevice] = hasOpenCL ? allCases : [.reference]

  /// Whether there is an OpenCL device. A device that is there and does not open is no reason to skip.
  package static var hasOpenCL: Bool {
    if case .failure(let error) = opened { return error.kind != .unknownDevice }
    return true
  }

  private static let opened = Result { () throws(EngineError) in
    try Engine(.openCL(index: nil), variant: nil)
  }

  /// What is too much for the reference implementation is tested on fewer samples.
  package func scaled(_ count: Int, reference: Int) -> Int { self == .reference ? reference : count }

  package func engine() async throws -> Engine {
    switch self {
    case .reference: try await Engine(.reference)
    case .openCL: try Self.opened.get()
    }
  }
}
