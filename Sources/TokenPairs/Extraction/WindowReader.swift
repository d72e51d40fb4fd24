internal import ModelFiles

/// Turns texts into tokens, and long texts into windows.
struct WindowReader: Sendable {
  private let tokenizer: WordPieceTokenizer
  /// Content tokens of a window.
  let capacity: Int
  private let overlap: Int

  init(tokenizer: WordPieceTokenizer, capacity: Int, overlap: Int) {
    self.tokenizer = tokenizer
    self.capacity = capacity
    self.overlap = min(max(0, overlap), capacity / 2)
  }

  /// Cuts a text into windows, at least one.
  func read(_ text: String) -> TokenizedText {
    let encoding = tokenizer.encode(text)
    let content = Array(zip(encoding.ids, encoding.offsets).dropFirst().dropLast())
    let offsets = content.map(\.1)
    let plan = WindowPlan(count: content.count, capacity: capacity, overlap: overlap) {
      $0 == 0 || offsets[$0].lowerBound > offsets[$0 - 1].upperBound
    }
    let windows = plan.windows.map { [tokenizer.clsID] + content[$0].map(\.0) + [tokenizer.sepID] }
    return TokenizedText(text: text, offsets: offsets, plan: plan, windows: windows)
  }
}

/// A text as tokens, cut into windows.
struct TokenizedText: Sendable {
  let text: String
  /// The content tokens' places in the text, in code points.
  let offsets: [Range<Int>]
  let plan: WindowPlan
  /// Each window's ids, framed by CLS and SEP.
  let windows: [[Int32]]

  /// The content tokens from a window's first to its last, by their numbers in the text.
  /// - Parameters:
  ///   - cell: a cell of the window's scores, tokens counted with CLS as 0.
  ///   - window: the window.
  /// - Returns: nil for a cell that ends before it begins, as a head without a triangle scores them: no text answers.
  func tokens(_ cell: (row: Int, column: Int), window: Int) -> ClosedRange<Int>? {
    let offset = plan.windows[window].lowerBound - 1
    return cell.row <= cell.column ? offset + cell.row...offset + cell.column : nil
  }

  /// Where tokens stand in the text, in code points.
  func place(of tokens: ClosedRange<Int>) -> Range<Int> {
    let start = offsets[tokens.lowerBound].lowerBound
    return start..<max(start, offsets[tokens.upperBound].upperBound)
  }
}

/// One window on its way through the scheduler.
struct TokenWindow: Sendable {
  let ids: [Int32]
}

/// Finds the string indices of code points.
struct CodePointPlaces {
  private let indices: [String.Index]
  private let end: String.Index

  init(_ text: String) {
    indices = Array(text.unicodeScalars.indices)
    end = text.endIndex
  }

  func range(_ codePoints: Range<Int>) -> Range<String.Index> {
    place(codePoints.lowerBound)..<place(codePoints.upperBound)
  }

  private func place(_ codePoint: Int) -> String.Index {
    indices.indices.contains(codePoint) ? indices[codePoint] : end
  }
}
