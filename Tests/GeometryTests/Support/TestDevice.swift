import Testing
import Weft

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

  /// What is too much for the reference implementation is tested on fewer samples.
  func scaled(_ count: Int, reference: Int) -> Int { self == .reference ? reference : count }

  func engine() async throws -> Engine {
    switch self {
    case .reference: try await Engine(.reference)
    case .openCL: try Self.opened.get()
    }
  }
}
