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
  /// The ranges of the content tokens in the text, in code points.
  let offsets: [Range<Int>]
  let plan: WindowPlan
  /// Each window's ids, framed by CLS and SEP.
  let windows: [[Int32]]

  /// The content tokens of a window's span, by their numbers in the text.
  /// - Parameters:
  ///   - range: tokens of the window, counted with CLS as 0.
  ///   - window: the window.
  /// - Returns: numbers of content tokens.
  func contentTokens(_ range: Range<Int>, window: Int) -> Range<Int> {
    let offset = plan.windows[window].lowerBound - 1
    return offset + range.lowerBound..<offset + range.upperBound
  }

  /// Where tokens are in the text, in code points.
  /// - Parameter tokens: content tokens, at least one.
  /// - Returns: code points, end-exclusive.
  func codePoints(of tokens: Range<Int>) -> Range<Int> {
    let start = offsets[tokens.lowerBound].lowerBound
    return start..<max(start, offsets[tokens.upperBound - 1].upperBound)
  }
}

/// Cuts a text that is longer than the encoder's window into overlapping windows, and says which window decides on
/// a span. All ranges count content tokens: CLS and SEP frame every window and are not counted.
struct WindowPlan: Sendable, Hashable {
  let windows: [Range<Int>]
  private let count: Int

  /// - Parameters:
  ///   - count: content tokens of the text.
  ///   - capacity: content tokens a window holds; at least 1.
  ///   - overlap: tokens that neighbouring windows share at least, less than `capacity`.
  ///   - startsWord: whether a word begins at a token; a window begins there where one is near.
  init(count: Int, capacity: Int, overlap: Int, startsWord: (Int) -> Bool) {
    precondition(capacity > 0 && overlap >= 0 && overlap < capacity)
    self.count = count
    var windows: [Range<Int>] = []
    var start = 0
    while true {
      let end = min(start + capacity, count)
      windows.append(start..<end)
      if end == count { break }
      let latest = end - overlap
      let earliest = max(start + 1, latest - (capacity - overlap) / 2)
      start = stride(from: latest, through: earliest, by: -1).first(where: startsWord) ?? latest
    }
    self.windows = windows
  }

  /// Whether `window` decides on the span from token `first` to `last`: of all windows that hold it, the one with the
  /// most context on its nearer side; the earlier one of two equals.
  func answers(window: Int, first: Int, last: Int) -> Bool {
    // The windows that hold the span are neighbours, and this is one of them.
    var (lowest, highest) = (window, window)
    while lowest > 0, windows[lowest - 1].contains(last) { lowest -= 1 }
    while highest + 1 < windows.count, windows[highest + 1].contains(first) { highest += 1 }
    var best = window
    var bestMargin = Int.min
    for index in lowest...highest {
      let range = windows[index]
      let left = range.lowerBound == 0 ? .max : first - range.lowerBound
      let right = range.upperBound == count ? .max : range.upperBound - 1 - last
      if min(left, right) > bestMargin {
        bestMargin = min(left, right)
        best = index
      }
    }
    return best == window
  }
}

/// Finds the string indices of code points.
struct CodePointIndices {
  private let indices: [String.Index]
  private let end: String.Index

  init(_ text: String) {
    indices = Array(text.unicodeScalars.indices)
    end = text.endIndex
  }

  func range(_ codePoints: Range<Int>) -> Range<String.Index> {
    index(codePoints.lowerBound)..<index(codePoints.upperBound)
  }

  private func index(_ codePoint: Int) -> String.Index {
    indices.indices.contains(codePoint) ? indices[codePoint] : end
  }
}
