internal import Foundation

// The file: {"format": "weft-gamma", "version": 2, "entries": [[time, alpha_bar, gamma], …]}; version 1 has [time, gamma].
// Numbers are written with the fewest digits that read back as the same Double.
extension GammaTable {
  private static let format = "weft-gamma"

  /// The table as JSON, one entry a line, always the same text for the same table.
  public var json: String {
    let hasLevels = entries[0].alphaBar != nil
    let lines = entries.map { entry in
      "    [\(([entry.time, entry.alphaBar, entry.gamma]).compactMap { $0 }.map { "\($0)" }.joined(separator: ", "))]"
    }
    return """
      {
        "format": "\(Self.format)",
        "version": \(hasLevels ? 2 : 1),
        "entries": [
      \(lines.joined(separator: ",\n"))
        ]
      }

      """
  }

  /// A table from the JSON that `json` gave.
  /// - Parameter json: The text.
  /// - Throws: `DiffusionError` that says what is wrong with the text.
  public init(json: String) throws(DiffusionError) {
    struct Header: Decodable {
      var format: String
      var version: Int
    }
    struct Body: Decodable {
      var entries: [[Double]]
    }
    let header = try Self.decode(Header.self, json)
    guard header.format == Self.format else {
      throw DiffusionError(
        .invalidData, "The file's format is \"\(header.format)\"; a Γ table's is \"\(Self.format)\".")
    }
    guard (1...2).contains(header.version) else {
      throw DiffusionError(
        .invalidData, "The Γ table has version \(header.version); this program reads versions 1 and 2.")
    }
    let (count, form) = header.version == 1 ? (2, "a time and its Γ") : (3, "a time, its ᾱ and its Γ")
    var entries: [Entry] = []
    for (index, numbers) in try Self.decode(Body.self, json).entries.enumerated() {
      guard numbers.count == count else {
        throw DiffusionError(
          .invalidData, "Entry \(index) of the Γ table has \(numbers.count) numbers instead of \(form).")
      }
      var entry = Entry(time: numbers[0], gamma: numbers[count - 1])
      if count == 3 { entry.alphaBar = numbers[1] }
      entries.append(entry)
    }
    try self.init(entries)
  }

  private static func decode<Part: Decodable>(_ type: Part.Type, _ json: String) throws(DiffusionError) -> Part {
    do { return try JSONDecoder().decode(type, from: Data(json.utf8)) } catch {
      throw DiffusionError(.invalidData, "This is no Γ table: \(problem(error)).")
    }
  }

  /// A decoder's error in this file's terms.
  private static func problem(_ error: any Error) -> String {
    switch error {
    case DecodingError.keyNotFound(let key, _): return "it has no \"\(key.stringValue)\""
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
      DecodingError.dataCorrupted(let context):
      let path = context.codingPath
      guard let name = path.first?.stringValue else {
        if case DecodingError.dataCorrupted = error { return "it is not JSON, or was cut short" }
        return "it is not a JSON object"
      }
      switch (name, path.dropFirst().first?.intValue) {
      case ("format", _): return "its \"format\" is not a text"
      case ("version", _): return "its \"version\" is not a whole number"
      case (_, let entry?): return "entry \(entry) is not a list of numbers"
      default: return "its \"entries\" are not a list"
      }
    default: return "it is not JSON"
    }
  }
}
