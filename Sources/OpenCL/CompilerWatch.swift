internal import Foundation
internal import Synchronization

/// Says what to do when a driver's compiler ends the process.
///
/// LLVM calls `exit` where it cannot write a file, with a line that names neither file nor folder. A compiler that works
/// on the thread that asked for it is recognised by that.
enum CompilerWatch {
  /// What is compiled, by thread.
  private static let builds = Mutex<[UInt: String]>([:])
  private static let speaksAtExit: Void = {
    atexit {
      guard let build = CompilerWatch.builds.withLock({ $0[CompilerWatch.thread] }) else { return }
      let text = "Error: the OpenCL compiler ended the program while compiling \(build); \(CompilerFolders().advice)\n"
      _ = text.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    }
  }()
  private static var thread: UInt { UInt(pthread_self()) }

  /// This thread begins to compile.
  static func begin(program: String, device: String) {
    _ = speaksAtExit
    builds.withLock { $0[thread] = "\(program) for \(device)" }
  }

  /// The compiler has returned.
  static func end() { builds.withLock { _ = $0.removeValue(forKey: thread) } }
}

/// The folders in which drivers' compilers keep files, as far as they are known.
package struct CompilerFolders {
  /// Less free room than this, in bytes, may be what stopped a compiler.
  private static let leastRoom: UInt64 = 16 << 20

  let folders: [String]

  /// The folders that PoCL and LLVM use in an environment.
  init(environment: (String) -> String? = environmentVariable) {
    let cache =
      environment("POCL_CACHE_DIR") ?? environment("XDG_CACHE_HOME").map { "\($0)/pocl" }
      ?? environment("HOME").map { "\($0)/.cache/pocl" }
    folders = [cache, environment("TMPDIR") ?? "/tmp"].compactMap(\.self)
  }

  /// A compiler's log speaks of files that could not be written.
  static func areBlamed(by log: String) -> Bool {
    [ENOSPC, EDQUOT, EFBIG, EROFS, EACCES].contains { log.contains(String(cString: strerror($0))) }
  }

  /// Why PoCL may offer no device although it is installed: it needs its folder when it starts. Nil if nothing stands in
  /// the way.
  package static var obstacle: String? {
    guard let folder = CompilerFolders().folders.first, let fault = fault(of: folder) else { return nil }
    return "PoCL offers no device where it cannot write: \(fault); POCL_CACHE_DIR may name another folder"
  }

  /// What to do about a compiler that could not do its work.
  var advice: String {
    let faults = folders.compactMap(Self.fault)
    let finding =
      faults.isEmpty
      ? "perhaps it could not write its files, which PoCL keeps in \(folders.joined(separator: " and "))"
      : faults.joined(separator: ", ")
    return "\(finding): free some space there, or name other folders in POCL_CACHE_DIR and TMPDIR"
  }

  /// What keeps a compiler from writing files in a folder; nil if nothing is known to.
  private static func fault(of folder: String) -> String? {
    var room = statvfs()
    // A folder that is not there yet is made in the one above it.
    var path = folder
    while statvfs(path, &room) != 0 {
      guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
        return "\(folder) cannot be used (\(String(cString: strerror(errno))))"
      }
      path = String(path[..<slash])
    }
    let free = UInt64(room.f_bavail) * UInt64(room.f_frsize)
    if free < leastRoom { return "\(folder) has \(free >> 10) KiB left" }
    return access(path, W_OK) == 0 ? nil : "\(folder) cannot be written"
  }
}
