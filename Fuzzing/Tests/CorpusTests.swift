import Foundation
import Testing

/// The inputs that the fuzzer starts from, and those on which a reader once failed, each through its reader.
@Suite struct CorpusTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Corpora")

  @Test(arguments: FuzzTarget.all.map(\.name)) func readersStandAnyInput(name: String) throws {
    let target = try #require(FuzzTarget.all.first { $0.name == name })
    let files = try FileManager.default.contentsOfDirectory(
      at: Self.folder.appendingPathComponent(name), includingPropertiesForKeys: nil)
    #expect(!files.isEmpty)
    for file in files.sorted(by: { $0.path < $1.path }) {
      let input = Array(try Data(contentsOf: file))
      #expect(throws: Never.self, "\(file.lastPathComponent)") { try target.run(input) }
      // And cut anywhere: what is read must not lie behind the end.
      for count in stride(from: 0, to: input.count, by: max(1, input.count / 8)) {
        #expect(throws: Never.self, "\(file.lastPathComponent), \(count) bytes of it") {
          try target.run(Array(input.prefix(count)))
        }
      }
    }
  }

  @Test func foldersAreThoseOfTheTargets() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
    #expect(names.sorted() == FuzzTarget.all.map(\.name).sorted())
  }
}
