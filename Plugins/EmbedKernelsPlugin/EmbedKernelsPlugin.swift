import Foundation
import PackagePlugin

/// Turns the OpenCL C sources in `Kernels/` into one Swift file of string literals, so that a moved binary has them.
@main
struct EmbedKernelsPlugin: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let folder = context.package.directoryURL.appending(path: "Kernels")
    let sources = try kernelSources(in: folder)
    let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedKernels.swift")
    return [
      .buildCommand(
        displayName: "Embedding \(sources.count) kernel sources",
        executable: try context.tool(named: "EmbedKernels").url,
        arguments: [output.path(percentEncoded: false), folder.path(percentEncoded: false)]
          + sources.map { $0.path(percentEncoded: false) },
        inputFiles: sources,
        outputFiles: [output])
    ]
  }

  private func kernelSources(in folder: URL) throws -> [URL] {
    let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    return (files?.compactMap { $0 as? URL } ?? [])
      .filter { ["cl", "clh"].contains($0.pathExtension) }
      .sorted { $0.path < $1.path }
  }
}
