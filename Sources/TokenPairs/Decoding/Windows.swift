/// Cuts a text that is longer than the encoder's window into overlapping windows, and says which window answers for
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

  /// Whether `window` answers for the span from token `first` to `last`: of all windows that hold it, the one with the
  /// most context on its nearer side; the earlier one of two equals.
  func answers(window: Int, first: Int, last: Int) -> Bool {
    // The windows that hold the span stand side by side, this one among them.
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
