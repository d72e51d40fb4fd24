import Foundation

/// Where tests find data.
enum Places {
  private static let here = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent()

  /// The goldens stored with these tests.
  static let goldens = here.appendingPathComponent("Goldens").path

  /// Data that are too large for the repository: a folder `shared` beside the package's root. Tests
  /// that need it are skipped where it is absent.
  static let shared: String? = {
    var folder = here
    while folder.path != "/" {
      folder.deleteLastPathComponent()
      if exists(folder.appendingPathComponent("Package.swift").path) {
        let shared = folder.deletingLastPathComponent().appendingPathComponent("shared").path
        return exists(shared) ? shared : nil
      }
    }
    return nil
  }()

  /// Whether a file of the shared folder is there.
  static func hasShared(_ path: String) -> Bool { shared.map { exists("\($0)/\(path)") } ?? false }

  private static func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: path)
  }
}
