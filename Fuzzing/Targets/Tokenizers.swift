import Foundation

@testable import ModelFiles

extension FuzzTarget {
  /// Tokenizers, and a text that each encodes.
  static let tokenizers = [
    // tokenizer.json, a zero, a text
    FuzzTarget(name: "tokenizer") { input in
      let parts = parts(input, 2)
      let folder = try FuzzFolder()
      _ = try folder.write("tokenizer.json", parts[0])
      try encode(parts[1], in: folder)
    },

    // vocab.txt, a zero, tokenizer_config.json, a zero, a text
    FuzzTarget(name: "vocabulary") { input in
      let parts = parts(input, 3)
      let folder = try FuzzFolder()
      _ = try folder.write("vocab.txt", parts[0])
      if !parts[1].isEmpty { _ = try folder.write("tokenizer_config.json", parts[1]) }
      try encode(parts[2], in: folder)
    },
  ]

  private static func encode(_ bytes: [UInt8], in folder: FuzzFolder) throws {
    guard let tokenizer = try? WordPieceTokenizer(directory: folder.path) else { return }
    for text in [String(decoding: bytes, as: UTF8.self), "Zürich, 東京 don't [MASK]"] {
      let encoding = tokenizer.encode(text)
      let count = text.unicodeScalars.count
      try require(encoding.ids.count == encoding.offsets.count && encoding.count >= 2, "a range for each token")
      try require(encoding.ids.first == tokenizer.clsID && encoding.ids.last == tokenizer.sepID, "between CLS and SEP")
      for (id, range) in zip(encoding.ids, encoding.offsets) {
        try require(0..<tokenizer.vocabularySize ~= Int(id), "token \(id)")
        try require(range.lowerBound >= 0 && range.upperBound <= count, "\(range) of \(count) code points")
      }
    }
  }
}
