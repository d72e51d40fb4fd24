@testable import ModelFiles
@testable import TokenPairs

/// Texts over the small vocabulary, read in windows of a few tokens.
enum SmallTexts {
  /// A reader whose windows hold `capacity` content tokens and share `overlap` of them.
  static func reader(capacity: Int = 14, overlap: Int = 6) throws -> WindowReader {
    let scratch = try Scratch()
    try SmallEncoder.writeFiles(to: scratch)
    return WindowReader(
      tokenizer: try WordPieceTokenizer(directory: scratch.path), capacity: capacity, overlap: overlap)
  }

  /// Eight tokens: mr . reed ##s left a reed .
  static let reeds = "Mr. Reeds left a reed."

  static func entities(_ text: String, _ spans: (Range<Int>, String)...) -> TrainingDocument {
    TrainingDocument(
      text: text, gold: .entities(Set(spans.map { EntityKey(range: $0.0, label: $0.1) })))
  }

  static func argument(_ role: String, _ range: Range<Int>) -> EventArgumentKey {
    EventArgumentKey(role: role, range: range, text: "")
  }
}

extension PairLabel {
  /// A hard label.
  init(_ type: Int, _ row: Int, _ column: Int, _ value: Float = 1) {
    self.init(type: type, row: row, column: column, value: value)
  }
}
