import Foundation

@testable import ModelFiles
@testable import TokenPairs
@testable import WeftCommand

extension FuzzTarget {
  /// JSON, and lines of it.
  static let texts = [
    FuzzTarget(name: "json") { input in
      let value = try? input.withUnsafeBytes { try JSONValue(parsing: $0) }
      let members = try? JSONRawMember.members(of: input)
      guard case .object(let read)? = value, let members else { return }
      try require(members.map(\.name) == read.map(\.name), "other names")
      for member in members {
        let raw = Array(input[member.rawValue])
        _ = try raw.withUnsafeBytes { try JSONValue(parsing: $0) }
      }
    },

    FuzzTarget(name: "lines") { input in
      // However a stream is cut, its lines are the same.
      let whole = lines(of: input, chunk: max(1, input.count))
      for chunk in [1, 3, 7] {
        let cut = lines(of: input, chunk: chunk)
        try require(cut.map { try? $0.get() } == whole.map { try? $0.get() }, "other lines in pieces of \(chunk)")
      }
      for case .success(let bytes) in whole {
        _ = try? JSONLine(plainText: bytes)
        guard let line = try? JSONLine(bytes) else { continue }
        for task in ModelTask.allCases {
          _ = try? GoldLine(line).gold(of: task)
          _ = try? GoldLine(line).document(for: task)
        }
        var writer = JSONWriter()
        line.write(to: &writer, number: 1, replacing: ["entities"]) { writer in
          writer.name("entities")
          writer.beginArray()
          writer.endArray()
        }
        let again = try JSONLine(writer.bytes)
        try require(again.text.utf8.elementsEqual(line.text.utf8), "another text was written")
      }
    },
  ]

  private static func lines(of input: [UInt8], chunk: Int) -> [Result<[UInt8], LineTooLong>] {
    var splitter = LineSplitter(limit: 1_000)
    var lines: [Result<[UInt8], LineTooLong>] = []
    for start in stride(from: 0, to: input.count, by: chunk) {
      input[start..<min(input.count, start + chunk)].withUnsafeBytes { lines += splitter.feed($0) }
    }
    if let last = splitter.finish() { lines.append(last) }
    return lines
  }
}
