internal import Foundation

// The file: {"format": "weft-gamma", "version": 1, "entries": [[time, gamma], …]}. Numbers are written with the fewest
// digits that read back as the same Double.
extension GammaTable {
  private static let format = "weft-gamma"
  private static let version = 1

  /// The table as JSON, one entry a line, always the same text for the same table.
  public var json: String {
    let lines = entries.map { "    [\($0.time), \($0.gamma)]" }.joined(separator: ",\n")
    return """
      {
        "format": "\(Self.format)",
        "version": \(Self.version),
        "entries": [
      \(lines)
        ]
      }

      """
  }

  /// A table from the JSON that `json` gave.
  /// - Parameter json: The text.
  /// - Throws: `DiffusionError` that says what is wrong with the text.
  public init(json: String) throws(DiffusionError) {
    struct File: Decodable {
      var format: String
      var version: Int
      var entries: [[Double]]
    }
    let file: File
    do {
      file = try JSONDecoder().decode(File.self, from: Data(json.utf8))
    } catch {
      throw DiffusionError(.invalidData, "This is no Γ table in JSON: \(error)")
    }
    guard file.format == Self.format else {
      throw DiffusionError(
        .invalidData, "The file's format is \"\(file.format)\"; a Γ table's is \"\(Self.format)\".")
    }
    guard file.version == Self.version else {
      throw DiffusionError(
        .invalidData, "The Γ table has version \(file.version); this program reads version \(Self.version).")
    }
    var entries: [Entry] = []
    for (index, pair) in file.entries.enumerated() {
      guard pair.count == 2 else {
        throw DiffusionError(
          .invalidData, "Entry \(index) of the Γ table has \(pair.count) numbers instead of a time and its Γ.")
      }
      entries.append(Entry(time: pair[0], gamma: pair[1]))
    }
    try self.init(entries)
  }
}
