internal import Foundation

/// The file that a path leads to: two paths with one identity are the same file, through whatever folders, symbolic links
/// and hard links they go.
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
      self = .missing(path)  // nor does its folder: nothing can be written there
      return
    }
    defer { free(folder) }
    self = .missing(String(cString: folder) + "/" + name)
  }
}
