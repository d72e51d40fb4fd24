internal import Foundation

/// The models that come with Weft, and the data of its examples.
public enum BundledModels {
  /// A model, or an example's data, that is nowhere to be found.
  public struct NotFound: Error, Sendable, CustomStringConvertible {
    /// The model's name, or the file's.
    public let name: String
    /// Where it was looked for.
    public let searched: [String]

    private let isExample: Bool

    fileprivate init(name: String, searched: [String], isExample: Bool = false) {
      self.name = name
      self.searched = searched
      self.isExample = isExample
    }

    /// What to do.
    public var description: String {
      let places = searched.joined(separator: ", ")
      return isExample
        ? "the bundled file '\(name)' is not at \(places); WEFT_MODELS names the folder 'Models' that 'Examples' lies beside"
        : "the bundled model '\(name)' is in none of \(places); set WEFT_MODELS to the folder that holds it, or name a model directory"
    }
  }

  /// The small model for nested entities (people, places, organisations, vehicles) in English prose.
  public static let entities = "litbank-tiny"

  /// A small diffusion network that draws handwritten digits of 16 × 16 pixels.
  public static let digits = "digits-unet"

  /// All of them.
  package static let all = [entities, digits]

  /// The directory of a bundled model: below `WEFT_MODELS`, or a folder `Models` beside the program or above it, or in
  /// the checkout that Weft was built from.
  public static func directory(named name: String = entities) throws(NotFound) -> String {
    let folders = searchedFolders()
    // A pipeline of several parts has an index.
    for folder in folders {
      for file in ["config.json", "model_index.json"]
      where FileManager.default.fileExists(atPath: "\(folder)/\(name)/\(file)") {
        return "\(folder)/\(name)"
      }
    }
    throw NotFound(name: name, searched: folders)
  }

  /// The text that `weft demo` reads.
  package static func exampleText() throws(NotFound) -> String { try example("pride-and-prejudice.txt") }

  /// Images of handwritten digits, a NumPy file of 8-bit numbers from 0 to 16, shape `[1797, 8, 8]`.
  package static func exampleDigits() throws(NotFound) -> String { try example("digits.npy") }

  /// A file of the folder `Examples`, which lies beside the models.
  private static func example(_ name: String) throws(NotFound) -> String {
    let file = "Examples/\(name)"
    let paths = searchedFolders().map { URL(filePath: $0).deletingLastPathComponent().appending(path: file).path }
    guard let path = paths.first(where: { FileManager.default.fileExists(atPath: $0) }) else {
      throw NotFound(name: file, searched: paths, isExample: true)
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
