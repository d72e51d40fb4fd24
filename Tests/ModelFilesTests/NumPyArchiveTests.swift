import Foundation
import Testing

@testable import ModelFiles

/// `.npz` files that NumPy wrote (Goldens/archives/make_archive_goldens.py), sound and damaged.
@Suite struct NumPyArchiveTests {
  private struct Expected: Decodable {
    let type: String
    let shape: [Int]
    let hex: String
  }

  private static let folder = "\(Places.goldens)/archives"

  private static func expected() throws -> [String: Expected] {
    let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/arrays.json"))
    return try JSONDecoder().decode([String: Expected].self, from: data)
  }

  private static func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))
  }

  @Test(arguments: [("stored.npz", 9), ("compressed.npz", 10), ("wide.npz", 10)])
  func archivesOfNumPyAreRead(name: String, count: Int) throws {
    let store = try TensorStore(path: "\(Self.folder)/\(name)")
    #expect(store.entries.count == count)
    let types = ["f2": "F16", "f4": "F32", "f8": "F64", "i8": "I64", "b1": "BOOL"]
    for entry in store.entries {
      let expected = try #require(try Self.expected()[entry.name])
      let tensor = try store.tensor(named: entry.name)
      #expect(entry.elementType.rawValue == types[expected.type] && entry.shape == expected.shape)
      #expect(tensor.type == entry.elementType && tensor.shape == expected.shape, "\(entry.name)")
      if entry.name == "zeros" {
        #expect(tensor.bytes == [UInt8](repeating: 0, count: 84_000))
      } else {
        #expect(tensor.bytes.map { String(format: "%02x", $0) }.joined() == expected.hex, "\(entry.name)")
      }
    }
  }

  /// A directory beyond 4 GB: the usual record holds only marks, the 64-bit one the numbers.
  @Test func theWideDirectoryIsReadWhereTheUsualOneOverflows() throws {
    let scratch = try Scratch()
    var bytes = try Self.bytes("wide.npz")
    for place in bytes.count - 14..<bytes.count - 2 { bytes[place] = 0xFF }
    let file = try scratch.write("marks.npz", bytes)
    #expect(try Self.readAll(file) == Self.readAll("\(Self.folder)/wide.npz"))
    bytes[bytes.count - 22 - 12] ^= 1  // where the 64-bit record is
    #expect(throws: ModelFileError.self) { try Self.readAll(scratch.write("astray.npz", bytes)) }
  }

  @Test func aDirectoryWithOneArchiveIsFound() throws {
    let scratch = try Scratch()
    try scratch.write("weights.npz", Self.bytes("stored.npz"))
    try scratch.write("notes.txt", [])
    #expect(try TensorStore(path: scratch.path).path == scratch.file("weights.npz"))
    try scratch.write("more.safetensors", [])
    #expect(message { _ = try TensorStore(path: scratch.path) }.contains("more.safetensors, weights.npz"))
  }

  // MARK: Damage

  /// Every shortened file is refused; none reads out of bounds or is taken for whole.
  @Test(arguments: ["stored.npz", "compressed.npz", "wide.npz"])
  func everyTruncationIsRefused(name: String) throws {
    let scratch = try Scratch()
    let whole = try Self.bytes(name)
    for length in stride(from: 0, to: whole.count, by: max(1, whole.count / 300)) {
      let file = try scratch.write("cut.npz", Array(whole.prefix(length)))
      #expect(throws: ModelFileError.self, "\(length) of \(whole.count) bytes") { try Self.readAll(file) }
    }
  }

  /// A changed byte is refused, or lies where nothing depends on it: then every array is as it was.
  @Test(arguments: ["compressed.npz", "wide.npz"])
  func everyChangedByteIsNoticed(name: String) throws {
    let scratch = try Scratch()
    let whole = try Self.bytes(name)
    let sound = try Self.readAll("\(Self.folder)/\(name)")
    var refused = 0
    for place in whole.indices {
      var bytes = whole
      bytes[place] ^= 0xFF
      let file = try scratch.write("changed.npz", bytes)
      do {
        let tensors = try Self.readAll(file)
        // Names and types of an array can change: a file of other arrays is as sound.
        for (name, tensor) in tensors { if let before = sound[name] { #expect(tensor == before, "byte \(place)") } }
      } catch { refused += 1 }
    }
    #expect(refused > whole.count / 2)
  }

  private static func readAll(_ file: String) throws -> [String: StoredTensor] {
    let store = try TensorStore(path: file)
    var tensors: [String: StoredTensor] = [:]
    for entry in store.entries { tensors[entry.name] = try store.tensor(named: entry.name) }
    return tensors
  }

  private func message(_ body: () throws -> Void) -> String {
    do { try body() } catch { return "\(error)" }
    return ""
  }

  struct Fault: Sendable, CustomTestStringConvertible {
    let name: String
    let change: @Sendable (inout ArchiveBuilder) -> Void
    let says: [String]

    init(_ name: String, _ says: String..., change: @escaping @Sendable (inout ArchiveBuilder) -> Void) {
      (self.name, self.says, self.change) = (name, says, change)
    }

    var testDescription: String { name }
  }

  static let faults = [
    Fault("encrypted", "'a.npy' is encrypted") { $0.files[0].flags = 1 },
    Fault("a method that is not read", "'a.npy'", "method 14") { $0.files[0].method = 14 },
    Fault("twice the same name", "'a.npy'", "twice") { $0.files.append($0.files[0]) },
    Fault("a checksum that does not fit", "'a.npy'", "checksum") { $0.files[0].checksum ^= 1 },
    Fault("a size of terabytes", "'a.npy'", "cannot come from") {
      $0.files[0].method = 8
      $0.files[0].size = 0xFFFF_FFF0
    },
    Fault("two sizes that differ", "'a.npy'", "sizes differ") { $0.files[0].size = 5 },
    Fault("a place outside of the file", "'a.npy'", "not where the directory says") { $0.files[0].place = 4_000_000 },
    Fault("a place in the middle of another file", "'b.npy'", "not where") { $0.files[1].place = 17 },
    Fault("more bytes than there are", "'a.npy'", "do not fit") {
      $0.files[0].storedSize = 1_000_000
      $0.files[0].size = 1_000_000
    },
    Fault("a file that is no array", "'a.txt'", ".npy") { $0.files[0].name = "a.txt" },
    Fault("a file of PyTorch", "pickle", "safetensors") { $0.files[0].name = "archive/data.pkl" },
    Fault("an array of objects", "'a'", "pickle") {
      $0.files[0].bytes = ArchiveBuilder.array(type: "|O", shape: "(2,)", bytes: 16)
    },
    Fault("an array that is cut short", "'a'", "takes 8 bytes") {
      $0.files[0].bytes = ArchiveBuilder.array(type: "<f4", shape: "(2,)", bytes: 7)
    },
    Fault("a deflate stream that is none", "'a.npy'", "is damaged") {
      $0.files[0].bytes = [0x07, 0, 0, 0]  // the fourth of three kinds of block
      $0.files[0].method = 8
    },
    Fault("a deflate stream that ends early", "'a.npy'", "is shorter") {
      $0.files[0].bytes = [0x03, 0]  // an empty block, the last
      $0.files[0].method = 8
    },
    Fault("a deflate stream that goes on", "'a.npy'", "is longer") {
      $0.files[0].bytes = [0x01, 2, 0, 0xFD, 0xFF, 7, 7]  // two bytes, stored
      $0.files[0].method = 8
      $0.files[0].size = 1
    },
    Fault("several disks", "several files") { $0.disk = 1 },
    Fault("a directory of another size", "directory is damaged") { $0.directorySizeError = 3 },
    Fault("more entries than the directory holds", "directory is damaged") { $0.count = 3 },
    Fault("64-bit sizes announced and missing", "directory is damaged") { $0.count = 0xFFFF },
    Fault("a 64-bit size announced and missing", "'a.npy'", "missing") { $0.files[0].size = 0xFFFF_FFFF },
  ]

  @Test func theBuildersArchiveIsSound() throws {
    let scratch = try Scratch()
    let tensors = try Self.readAll(scratch.write("sound.npz", ArchiveBuilder().archive))
    #expect(tensors.keys.sorted() == ["a", "b"] && tensors["a"]?.floats?.count == 2)
  }

  @Test(arguments: faults) func aFaultIsNamed(fault: Fault) throws {
    let scratch = try Scratch()
    var builder = ArchiveBuilder()
    fault.change(&builder)
    let file = try scratch.write("faulty.npz", builder.archive)
    let error = try #require(throws: ModelFileError.self) { try Self.readAll(file) }
    #expect(error.file == file && !error.description.contains("\n"))
    for word in fault.says { #expect(error.description.contains(word), "\(error)") }
  }

  @Test func otherFilesAreRefusedWithAdvice() throws {
    let scratch = try Scratch()
    for (name, bytes, word) in [
      ("weights.h5", [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A], "np.savez"),
      ("model.pt", [0x50, 0x4B, 0x03, 0x04], "no ZIP archive"),
    ] as [(String, [UInt8], String)] {
      let file = try scratch.write(name, bytes)
      #expect(message { _ = try TensorStore(path: file) }.contains(word))
    }
    let other = try Scratch()
    try other.write("model_state.pdparams", [1])
    #expect(message { _ = try TensorStore(path: other.path) }.contains("model_state.pdparams must be exported"))
  }
}

/// A ZIP archive of two small arrays, to be broken in one place: what its directory says can be changed apart from
/// what is in it.
struct ArchiveBuilder {
  struct File {
    var name: String
    var bytes: [UInt8] {
      didSet { (storedSize, size, checksum) = (bytes.count, bytes.count, ArchiveBuilder.crc(bytes)) }
    }
    var method = 0
    var flags = 0
    var checksum: UInt32
    var storedSize: Int
    var size: Int
    /// Where the directory says the file is; where it really is if nil.
    var place: Int?

    init(_ name: String, _ bytes: [UInt8]) {
      (self.name, self.bytes, checksum) = (name, bytes, ArchiveBuilder.crc(bytes))
      (storedSize, size) = (bytes.count, bytes.count)
    }
  }

  var files = [
    File("a.npy", Self.array(type: "<f4", shape: "(2,)", bytes: 8)),
    File("b.npy", Self.array(type: "<f4", shape: "(1,)", bytes: 4)),
  ]
  var disk = 0
  var directorySizeError = 0
  /// How many files the directory claims; as many as there are if nil.
  var count: Int?

  var archive: [UInt8] {
    var bytes: [UInt8] = []
    var directory: [UInt8] = []
    for file in files {
      let name = Array(file.name.utf8)
      let numbers =
        little(file.flags, 2) + little(file.method, 2) + little(0, 4) + little(Int(file.checksum), 4)
        + little(file.storedSize, 4) + little(file.size, 4) + little(name.count, 2) + little(0, 2)
      directory += little(0x0201_4B50, 4) + little(45, 2) + little(20, 2) + numbers + little(0, 10)
      directory += little(file.place ?? bytes.count, 4) + name
      bytes += little(0x0403_4B50, 4) + little(20, 2) + numbers + name + file.bytes
    }
    let start = bytes.count
    bytes += directory + little(0x0605_4B50, 4) + little(disk, 2) + little(disk, 2)
    bytes += little(count ?? files.count, 2) + little(count ?? files.count, 2)
    bytes += little(directory.count + directorySizeError, 4) + little(start, 4) + little(0, 2)
    return bytes
  }

  /// An `.npy` file with a header and bytes of a test's own.
  static func array(type: String, shape: String, bytes: Int) -> [UInt8] {
    let text = Array("{'descr': '\(type)', 'fortran_order': False, 'shape': \(shape), }\n".utf8)
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.count), 0] + text + [UInt8](repeating: 1, count: bytes)
  }

  private func little(_ value: Int, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: $0 < 8 ? value >> (8 * $0) : 0) }
  }

  /// CRC-32, bit by bit.
  static func crc(_ bytes: [UInt8]) -> UInt32 {
    var crc = ~UInt32(0)
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 1 ? 0xEDB8_8320 : 0) }
    }
    return ~crc
  }
}
