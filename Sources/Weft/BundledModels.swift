internal import Foundation

/// The models that come with Weft.
public enum BundledModels {
  /// A model that is nowhere to be found.
  public struct NotFound: Error, Sendable, CustomStringConvertible {
    /// The model's name.
    public let name: String
    /// Where it was looked for.
    public let searched: [String]

    /// What to do.
    public var description: String {
      "the bundled model '\(name)' is in none of \(searched.joined(separator: ", ")); set WEFT_MODELS to the folder that holds it, or name a model directory"
    }
  }

  /// The small model for nested entities (people, places, organisations, vehicles) in English prose.
  public static let entities = "litbank-tiny"

  /// The directory of a bundled model: below `WEFT_MODELS`, or a folder `Models` beside the program or above it, or in
  /// the checkout that Weft was built from.
  public static func directory(named name: String = entities) throws(NotFound) -> String {
    let folders = searchedFolders()
    for folder in folders where FileManager.default.fileExists(atPath: "\(folder)/\(name)/config.json") {
      return "\(folder)/\(name)"
    }
    throw NotFound(name: name, searched: folders)
  }

  /// The text that `weft demo` reads: it lies in the folder `Examples` beside the models.
  package static func exampleText() throws(NotFound) -> String {
    let file = "Examples/pride-and-prejudice.txt"
    let paths = searchedFolders().map { URL(filePath: $0).deletingLastPathComponent().appending(path: file).path }
    guard let path = paths.first(where: { FileManager.default.fileExists(atPath: $0) }) else {
      throw NotFound(name: file, searched: paths)
    }
    return path
  }

  private static func searchedFolders() -> [String] {
    // Who says where the models are means there, and nowhere else.
    if let folder = ProcessInfo.processInfo.environment["WEFT_MODELS"], !folder.isEmpty { return [folder] }
    var folders: [String] = []
    var place = programURL
    for _ in 0..<5 where place.path != "/" {
      place.deleteLastPathComponent()
      folders.append(place.appending(path: "Models").path)
    }
    let checkout = URL(filePath: #filePath).appending(path: "../../../Models").standardized
    return folders + [checkout.path]
  }

  private static var programURL: URL {
    #if os(Linux)
      URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    #else
      Bundle.main.executableURL ?? URL(filePath: CommandLine.arguments[0])
    #endif
  }
}
