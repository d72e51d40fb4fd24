internal import Files

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

// Files that only the user may touch: a cached binary runs with the user's rights, so one that
// another user could have written is never read. Every failure is a plain "no".

/// The value of an environment variable; nil if unset.
func environmentVariable(_ name: String) -> String? {
  guard let value = getenv(name) else { return nil }
  return String(cString: value)
}

/// Makes a directory and its parents for the user alone.
///
/// - Returns: whether something by that name exists now.
func makeDirectory(_ path: String) -> Bool {
  if mkdir(path, 0o700) == 0 || errno == EEXIST { return true }
  guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
    return false
  }
  guard makeDirectory(String(path[..<slash])) else { return false }
  return mkdir(path, 0o700) == 0 || errno == EEXIST
}

/// `path` is a directory of the user's, in which no other user may write.
func isOwnDirectory(_ path: String) -> Bool {
  var status = stat()
  guard stat(path, &status) == 0 else { return false }
  return status.st_mode & S_IFMT == S_IFDIR && isPrivate(status)
}

/// The content of a regular file of the user's that no other user may write.
func readOwnFile(_ path: String) -> [UInt8]? {
  // Not blocking: a pipe in the file's place must not hold the program up.
  let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
  guard descriptor >= 0 else { return nil }
  defer { close(descriptor) }
  var status = stat()
  guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, isPrivate(status),
    (0...sizeLimit).contains(Int(status.st_size))
  else { return nil }
  var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
  var done = 0
  while done < bytes.count {
    let count = bytes.withUnsafeMutableBytes {
      read(descriptor, $0.baseAddress?.advanced(by: done), $0.count - done)
    }
    if count < 0 && errno == EINTR { continue }
    guard count > 0 else { return nil }
    done += count
  }
  return bytes
}

/// Puts a file that only the user may read in place of `path`, whole or not at all.
///
/// It does not wait for the disk: after a crash of the machine the file may be damaged, which its hash reveals.
func replaceOwnFile(_ path: String, with bytes: [UInt8]) throws(WriteError) {
  let file = try ReplacingFile(path, permissions: 0o600, isDurable: false)
  try file.write(bytes)
  try file.commit()
}

private func isPrivate(_ status: stat) -> Bool {
  status.st_uid == geteuid() && status.st_mode & (S_IWGRP | S_IWOTH) == 0
}

/// Larger files, in bytes, are not read: no cache file is that large.
private let sizeLimit = 1 << 28
