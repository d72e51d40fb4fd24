import Foundation
import TestDevices
import Weft

@testable import TokenPairs

/// Where tests find data.
enum Places {
  /// Data that are too large for the repository: a folder `shared` beside the package's root. Tests
  /// that need it are skipped where it is absent.
  static let shared: String? = {
    var folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    while folder.path != "/" {
      folder.deleteLastPathComponent()
      if exists(folder.appendingPathComponent("Package.swift").path) {
        let shared = folder.deletingLastPathComponent().appendingPathComponent("shared").path
        return exists(shared) ? shared : nil
      }
    }
    return nil
  }()

  /// Whether all of these are in the shared folder.
  static func hasShared(_ paths: String...) -> Bool {
    guard let shared else { return false }
    return paths.allSatisfy { exists("\(shared)/\($0)") }
  }

  /// A path in the shared folder, for tests that are enabled only where it is there.
  static func inShared(_ path: String) -> String { "\(shared ?? "")/\(path)" }

  private static func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: path)
  }

  /// The lines of a file of JSON objects.
  static func lines<Line: Decodable>(_ path: String, as type: Line.Type) throws -> [Line] {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    let decoder = JSONDecoder()
    return try data.split(separator: UInt8(ascii: "\n")).map { try decoder.decode(Line.self, from: $0) }
  }
}

/// A directory of a test's own, removed with everything in it when the object goes.
final class Scratch: Sendable {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("token-pairs-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of a file in the directory.
  func file(_ name: String) -> String { "\(path)/\(name)" }

  /// Writes a text file.
  func write(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: file(name)))
  }

  /// Copies a file here under its own name.
  func copy(_ name: String, from directory: String) throws {
    try FileManager.default.copyItem(atPath: "\(directory)/\(name)", toPath: file(name))
  }
}

/// Random numbers that are the same in every run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  /// Numbers between -1 and 1.
  mutating func floats(_ count: Int) -> [Float] {
    (0..<count).map { _ in Float.random(in: -1...1, using: &self) }
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
