import Foundation
import OpenCLBackend

/// Where tests find data, and what this machine has.
enum Places {
  /// The package's root.
  static let root: String = URL(filePath: #filePath).appending(path: "../../../..").standardized.path

  /// The small model, which is part of the package.
  static let tinyModel = "\(root)/Models/litbank-tiny"

  /// A file of the folder `shared` beside the package's root, where data too large for it lie.
  /// Tests that need it are skipped where it is absent.
  static func shared(_ path: String) -> String {
    URL(filePath: root).deletingLastPathComponent().appending(path: "shared/\(path)").path
  }

  static func hasShared(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: shared(path))
  }

  /// Whether there is an OpenCL device to compute on; without one such tests are skipped.
  static let hasDevice: Bool = {
    let candidates = (try? DeviceCandidate.all()) ?? []
    return DeviceCandidate.automatic(among: candidates) != nil
  }()
}
