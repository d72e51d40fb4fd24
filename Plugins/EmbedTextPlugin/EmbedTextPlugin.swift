import Foundation
import PackagePlugin

/// Turns text files into Swift string literals, so that a moved binary has them.
@main
struct EmbedTextPlugin: BuildToolPlugin {
  /// The files that a target gets: those in a folder of the package whose names end so.
  private static let texts: [String: (folder: String, endings: Set<String>)] = [
    "Kernels": ("Kernels", ["cl", "clh"]),
    "WeftCommand": ("Sources/WeftCommand/Support/Show", ["css", "js"]),
  ]

  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    guard let (path, endings) = Self.texts[target.name] else {
      Diagnostics.error("EmbedTextPlugin does not know which texts '\(target.name)' gets")
      return []
    }
    let folder = context.package.directoryURL.appending(path: path)
    let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    let texts = (files?.compactMap { $0 as? URL } ?? []).filter { endings.contains($0.pathExtension) }
      .sorted { $0.path < $1.path }
    let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedText.swift")
    return [
      .buildCommand(
        displayName: "Embedding \(texts.count) texts of \(path)",
        executable: try context.tool(named: "EmbedText").url,
        arguments: [output, folder].map { $0.path(percentEncoded: false) }
          + texts.map { $0.path(percentEncoded: false) },
        inputFiles: texts,
        outputFiles: [output])
    ]
  }
}
