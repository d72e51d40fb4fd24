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

  /// A source: a file of `Kernels/`, or a text with a name.
  package struct Source: Sendable, Hashable {
    package let name: String
    package let text: String?

    /// A file of `Kernels/` if there is no text.
    package init(_ name: String, text: String? = nil) {
      self.name = name
      self.text = text
    }
  }

  /// Paths of all kernels (`.cl`), sorted.
  package static let kernelPaths = embedded.keys.filter { $0.hasSuffix(".cl") }.sorted()
  /// Paths of the epilogues of `pairwise/pairwise.cl`, sorted.
  package static let epiloguePaths = embedded.keys.filter { $0.hasPrefix("pairwise/epilogue_") }.sorted()

  /// All paths and texts, sorted by path: what compiled kernels depend on.
  package static var texts: [String] {
    embedded.keys.sorted().flatMap { [$0, text(of: $0) ?? ""] }
  }

  /// A source with its includes put in, each once, where it is first asked for.
  ///
  /// `WEFT_KERNELS=folder` reads the files from there instead of from the binary, while one works on kernels.
  ///
  /// - Parameters:
  ///   - source: the source.
  ///   - headers: what an include of one of these names stands for; all others are files of `Kernels/`.
  /// - Returns: the text.
  /// - Throws: `Missing` for a source or an include that is not there.
  package static func flattened(_ source: Source, headers: [String: Source] = [:]) throws(Missing) -> String {
    var seen: Set<String> = []
    return try flatten(source, headers, includedFrom: nil, seen: &seen)
  }

  private static let embedded: [String: String] = Dictionary(
    uniqueKeysWithValues: EmbeddedText.all.map { ($0.path, $0.text.description) })

  private static let overridingFolder = ProcessInfo.processInfo.environment["WEFT_KERNELS"]

  private static func text(of path: String) -> String? {
    guard let overridingFolder else { return embedded[path] }
    return try? String(contentsOfFile: overridingFolder + "/" + path, encoding: .utf8)
  }

  private static func flatten(
    _ source: Source, _ headers: [String: Source], includedFrom parent: String?, seen: inout Set<String>
  ) throws(Missing) -> String {
    let name = source.name
    guard seen.insert(name).inserted else { return "" }
    guard let text = source.text ?? text(of: name) else { throw Missing(path: name, includedFrom: parent) }
    var result = "#line 1 \"\(name)\"\n"
    var number = 0
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      number += 1
      guard line.hasPrefix("#include \""), let end = line.dropFirst(10).firstIndex(of: "\"") else {
        result += line + "\n"
        continue
      }
      let included = String(line.dropFirst(10)[..<end])
      result += try flatten(headers[included] ?? Source(included), headers, includedFrom: name, seen: &seen)
      result += "#line \(number + 1) \"\(name)\"\n"
    }
    return result
  }
}
