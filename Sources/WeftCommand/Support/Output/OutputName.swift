import ArgumentParser

/// Checks the names of files that are written in one format only.
enum OutputName {
  /// A file and the option that names it.
  typealias Named = (option: String, path: String?)

  /// Refuses a name that promises another format.
  static func check(_ path: String?, _ option: String, isA format: String, also advice: String = "") throws {
    guard let path else { return }
    guard !path.isEmpty else { throw ValidationError("\(option) needs the name of a .\(format) file") }
    let name = path.split(separator: "/").last ?? ""
    guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return }
    let ending = name[name.index(after: dot)...].lowercased()
    guard ending == format else {
      throw ValidationError("\(option) \(path): only .\(format) files can be written\(advice)")
    }
  }

  /// Refuses an output that is another output, or an input: one would be lost.
  static func checkDiffer(_ outputs: [Named], inputs: [Named] = []) throws {
    var taken: [FileIdentity: String] = [:]
    for case (let option, let path?) in inputs { taken[FileIdentity(path)] = option }
    let reads = Set(taken.values)
    for case (let option, let path?) in outputs {
      let file = FileIdentity(path)
      if let other = taken[file] {
        throw ValidationError(
          reads.contains(other)
            ? "\(option) \(path) is the file of \(other), which would be overwritten: give it another name"
            : "\(option) \(path) is the file of \(other) too: two outputs need different names")
      }
      taken[file] = option
    }
  }
}
