internal import Foundation

/// The OpenCL C sources of `Kernels/`, by their paths below it.
package enum KernelSources {
  /// A source that is not there, or an include that leads nowhere.
  package struct Missing: Error, Sendable, CustomStringConvertible {
    package let path: String
    package let includedFrom: String?
    package var description: String {
      "kernel source '\(path)' is missing" + (includedFrom.map { ", included from '\($0)'" } ?? "")
    }
  }

  /// Paths of all kernels (`.cl`), sorted.
  package static let kernelPaths: [String] =
    embedded.keys.filter { $0.hasSuffix(".cl") }.sorted()

  /// A source with its includes put in, each once, where it is first asked for.
  ///
  /// `WEFT_KERNELS=folder` reads the files from there instead of from the binary, while one works on kernels.
  package static func flattened(_ path: String) throws(Missing) -> String {
    var seen: Set<String> = []
    return try flatten(path, includedFrom: nil, seen: &seen)
  }

  private static let embedded: [String: String] = Dictionary(
    uniqueKeysWithValues: EmbeddedText.all.map { ($0.path, $0.text.description) })

  private static let overridingFolder = ProcessInfo.processInfo.environment["WEFT_KERNELS"]

  private static func text(of path: String) -> String? {
    guard let overridingFolder else { return embedded[path] }
    return try? String(contentsOfFile: overridingFolder + "/" + path, encoding: .utf8)
  }

  private static func flatten(
    _ path: String, includedFrom parent: String?, seen: inout Set<String>
  ) throws(Missing) -> String {
    guard seen.insert(path).inserted else { return "" }
    guard let text = text(of: path) else { throw Missing(path: path, includedFrom: parent) }
    var result = "#line 1 \"\(path)\"\n"
    var number = 0
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      number += 1
      guard line.hasPrefix("#include \""), let end = line.dropFirst(10).firstIndex(of: "\"") else {
        result += line + "\n"
        continue
      }
      let included = String(line.dropFirst(10)[..<end])
      result += try flatten(included, includedFrom: path, seen: &seen)
      result += "#line \(number + 1) \"\(path)\"\n"
    }
    return result
  }
}
