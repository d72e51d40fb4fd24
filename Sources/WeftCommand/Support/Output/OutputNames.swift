import ArgumentParser
import Foundation
import ModelFiles

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
      throw ValidationError("\(option) \(path.printable): only .\(format) files can be written\(advice)")
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
            ? "\(option) \(path.printable) is the file of \(other), which would be overwritten: give it another name"
            : "\(option) \(path.printable) is the file of \(other) too: two outputs need different names")
      }
      taken[file] = option
    }
  }
}

/// The file that a path leads to. Two paths with one identity are the same file, whatever folders, symbolic links and hard
/// links they go through.
enum FileIdentity: Hashable {
  /// A file that exists.
  case existing(device: UInt64, inode: UInt64)
  /// One that does not yet: its folder, resolved, and its name.
  case missing(String)

  init(_ path: String) {
    var status = stat()
    if stat(path, &status) == 0 {
      self = .existing(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
      return
    }
    let slash = path.lastIndex(of: "/")
    let name = slash.map { path[path.index(after: $0)...] } ?? path[...]
    guard let folder = realpath(slash.map { String(path[...$0]) } ?? ".", nil) else {
      self = .missing(path)  // its folder does not exist either: nothing can be written there
      return
    }
    defer { free(folder) }
    self = .missing(String(cString: folder) + "/" + name)
  }
}
