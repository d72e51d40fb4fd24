import ArgumentParser

/// Checks the names of files that are written in one format only.
enum OutputName {
  /// Refuses a name that promises another format.
  static func check(_ path: String?, _ option: String, isA format: String, also advice: String = "") throws {
    guard let path else { return }
    let name = path.split(separator: "/").last ?? ""
    guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return }
    let ending = name[name.index(after: dot)...].lowercased()
    guard ending == format else {
      throw ValidationError("\(option) \(path): only .\(format) files can be written\(advice)")
    }
  }

  /// Refuses two outputs of one name.
  static func checkDiffer(_ paths: [String?]) throws {
    let given = paths.compactMap { $0 }
    guard Set(given).count == given.count else { throw ValidationError("two outputs have the same name") }
  }
}
