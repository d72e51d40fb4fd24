import Files
import Foundation
import Testing

/// What is left of files when a signal ends a process in the middle of making many.
@Suite struct UnfinishedFilesTests {
  /// Every thread makes the next file as soon as the last has its name, so that at any moment several are being made.
  @Test(arguments: 0..<12)
  func nothingIsLeftOfThreadsThatMakeFiles(round: Int) async throws {
    let folder = FileManager.default.temporaryDirectory.path + "/weft-unfinished-\(UUID())"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    await #expect(processExitsWith: .signal(SIGTERM)) { [folder = folder as String, round] in
      UnfinishedFiles.removeWhenInterrupted()
      for thread in 0..<8 {
        Thread.detachNewThread {
          while true {
            if thread % 2 == 0 {
              try? ReplacingFile("\(folder)/\(thread)", isDurable: false).commit()
            } else if let staging = try? StagingFolder(beside: "\(folder)/\(thread)") {
              // Foundation would write another file first, of a name that nothing knows.
              close(open(staging.file("a"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o666))
            }
          }
        }
      }
      usleep(useconds_t(20_000 + 1_000 * round))
      kill(getpid(), SIGTERM)
      while true { pause() }
    }
    let left = try FileManager.default.subpathsOfDirectory(atPath: folder)
    #expect(left.allSatisfy { Int($0) != nil }, "\(left)")
    #expect(!left.isEmpty)
  }
}
