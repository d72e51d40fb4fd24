import Foundation
import Memory
import Testing

@testable import ModelFiles

/// Files that someone else cuts short or writes to after they were opened.
@Suite struct ChangingFileTests {
  private let scratch: Scratch
  private static let elements = (0..<4_000).map(Float.init)

  init() throws { scratch = try Scratch() }

  /// What becomes of a file, and what is said of it.
  enum Change: String, CaseIterable {
    case cutShort = "became shorter while it was read"
    case longer = "became longer while it was read"
    case overwritten = "was written to while it was read"

    func callAsFunction(_ path: String) throws {
      // The system's clock for files ticks every few milliseconds.
      Thread.sleep(forTimeInterval: 0.02)
      let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
      let size = try file.seekToEnd()
      switch self {
      case .cutShort: try file.truncate(atOffset: size - 4_096)
      case .longer: try file.write(contentsOf: Data([0]))
      case .overwritten:
        try file.seek(toOffset: size - 4)
        try file.write(contentsOf: Data([0, 0, 0xC0, 0x7F]))
      }
      try file.close()
    }
  }

  private func write(_ name: String) throws -> String {
    let path = scratch.file(name)
    switch name {
    case "x.npy": try scratch.write(name, NumPyWriter.file(Self.elements, shape: [1_000, 4]))
    case "columns.npy":
      var bytes = NumPyWriter.file(Self.elements, shape: [1_000, 4])
      let order = try #require(bytes.firstRange(of: Array("False".utf8)))
      bytes.replaceSubrange(order, with: Array("True ".utf8))
      try scratch.write(name, bytes)
    case "x.npz": try scratch.write(name, storedArchive(NumPyWriter.file(Self.elements, shape: [1_000, 4])))
    default:
      var writer = SafetensorsWriter()
      writer.add("w", floats: Self.elements, shape: [1_000, 4])
      try writer.write(to: path)
    }
    return path
  }

  /// A ZIP archive of one stored file, `w.npy`.
  private func storedArchive(_ content: [UInt8]) -> [UInt8] {
    var checksum = Checksum()
    content.withUnsafeBytes { checksum.add($0) }
    func words(_ numbers: [(UInt32, Int)]) -> [UInt8] {
      numbers.flatMap { number, size in (0..<size).map { UInt8(truncatingIfNeeded: number >> (8 * UInt32($0))) } }
    }
    let name = Array("w.npy".utf8)
    let size = UInt32(content.count)
    let common: [(UInt32, Int)] = [
      (20, 2), (0, 2), (0, 2), (0, 4), (checksum.value, 4), (size, 4), (size, 4), (UInt32(name.count), 2), (0, 2),
    ]
    let header = words([(0x0403_4B50, 4)] + common) + name + content
    let entry = words([(0x0201_4B50, 4), (20, 2)] + common + [(0, 2), (0, 2), (0, 2), (0, 4), (0, 4)]) + name
    let end: [(UInt32, Int)] = [
      (0x0605_4B50, 4), (0, 2), (0, 2), (1, 2), (1, 2), (UInt32(entry.count), 4), (UInt32(header.count), 4), (0, 2),
    ]
    return header + entry + words(end)
  }

  @Test(arguments: Change.allCases) func rowsOfAMatrix(change: Change) throws {
    for name in ["x.npy", "x.safetensors"] {
      let path = try write(name)
      let file = name == "x.npy" ? try MatrixFile(path: path) : try MatrixFile(path: path, tensor: "w")
      #expect(try file.floats(0..<1) == [0, 1, 2, 3])
      try change(path)
      // Also rows that are still there, and as they were: the file is another one now.
      for rows in [999..<1_000, 0..<1] {
        let error = failure { try file.floats(rows) }
        #expect(error?.description == "\(path): \(change.rawValue); run again when no one writes to it", "\(name)")
      }
    }
  }

  /// Columns are put into the order of rows when the file is opened, and that copy is no one else's.
  @Test func columnsAreCopied() throws {
    let path = try write("columns.npy")
    let file = try MatrixFile(path: path)
    try Change.cutShort(path)
    #expect(try file.floats(999..<1_000) == [999, 1_999, 2_999, 3_999])
    #expect(try file.floats(0..<2) == [0, 1_000, 2_000, 3_000, 1, 1_001, 2_001, 3_001])
  }

  @Test(arguments: Change.allCases) func tensorsOfACheckpoint(change: Change) throws {
    let path = try write("x.safetensors")
    let checkpoint = try Checkpoint(file: path)
    #expect(try checkpoint.floats(named: "w", shape: [1_000, 4]) == Self.elements)
    try change(path)
    #expect(
      failure { try checkpoint.floats(named: "w", shape: [1_000, 4]) }?.problem.hasPrefix(change.rawValue) == true)
    #expect(failure { try checkpoint.tensor(named: "w") }?.problem.hasPrefix(change.rawValue) == true)
  }

  @Test(arguments: Change.allCases) func arraysOfAnArchive(change: Change) throws {
    let path = try write("x.npz")
    let store = try TensorStore(path: path)
    #expect(try store.tensor(named: "w").floats == Self.elements)
    try change(path)
    #expect(failure { try store.tensor(named: "w") }?.problem.hasPrefix(change.rawValue) == true)
  }

  /// What is only moved or removed is still the file that was opened.
  @Test func movedAndRemovedFilesAreRead() throws {
    let path = try write("x.npy")
    let file = try MatrixFile(path: path)
    Thread.sleep(forTimeInterval: 0.02)
    try FileManager.default.moveItem(atPath: path, toPath: scratch.file("y.npy"))
    try FileManager.default.removeItem(atPath: scratch.file("y.npy"))
    #expect(try file.floats(999..<1_000) == [3_996, 3_997, 3_998, 3_999])
  }

  // MARK: Memory

  /// Each request for memory refused in turn: an error each time, and the next attempt finds all as it was.
  @Test func refusedMemoryIsAnError() async throws {
    let readers: [(String, @Sendable (String) throws -> [Float])] = [
      ("x.npy", { path in try NumPyArray(path: path).values }),
      ("x.npz", { path in try TensorStore(path: path).tensor(named: "w").floats ?? [] }),
      ("x.safetensors", { path in try Checkpoint(file: path).floats(named: "w", shape: [1_000, 4]) }),
      ("x.safetensors", { path in try MatrixFile(path: path, tensor: "w").floats(0..<1_000) }),
    ]
    for (name, read) in readers {
      let path = try write(name)
      let (values, requests) = try await HostAllocation.refusing(nil) { try read(path) }
      #expect(values == Self.elements && requests > 0)
      for occurrence in 1...requests {
        let error = await #expect(throws: ModelFileError.self) {
          try await HostAllocation.refusing(occurrence) { try read(path) }
        }
        #expect(error?.problem.contains("bytes of memory, which the system does not give") == true, "\(occurrence)")
      }
      #expect(try read(path) == Self.elements)
    }
  }

  /// More than any machine has.
  @Test func absurdSizesAreRefused() {
    #expect(throws: HostAllocation.Refused.self) { try HostAllocation.check(1 << 60) }
    #expect(throws: HostAllocation.Refused.self) { try HostAllocation.check(-1) }
    #expect(throws: HostAllocation.Refused.self) { try HostAllocation.allocate(byteCount: 1 << 60) }
  }
}
