/// Reads lines to be shown, a chunk of the input at a time, and keeps count of what could not be.
struct ShowRun {
  private var reader: LineReader
  private let offsets: OffsetUnit
  private let selection: ShowSelection
  /// Documents still to be shown; nil for all.
  private var remaining: Int?

  private(set) var failedCount = 0
  private var passedOverCount = 0
  private var mismatchCount = 0
  private var firstMismatch: (line: Int, stated: String, found: String)?

  init(reader: LineReader, offsets: OffsetUnit, selection: ShowSelection, limit: Int? = nil) {
    self.reader = reader
    self.offsets = offsets
    self.selection = selection
    remaining = limit
  }

  /// What to show of the next chunk, lines that failed among it; may be empty.
  /// - Returns: nil at the end of the input, or of the limit.
  /// - Throws: an input that failed.
  mutating func next() throws(InputError) -> [ShownLine]? {
    guard remaining != 0, let lines = try reader.nextBatch() else { return nil }
    var shown: [ShownLine] = []
    for line in lines where remaining != 0 {
      do {
        let entry = try ShownLine(line, offsets: offsets)
        guard case .document(let document) = entry else {
          shown.append(entry)
          continue
        }
        note(document)
        let selected = selection.apply(to: document)
        guard selection.concerns(selected) else {
          passedOverCount += 1
          continue
        }
        shown.append(.document(selected))
        remaining = remaining.map { $0 - 1 }
      } catch {
        failedCount += 1
        let message = (error as? LineFailure)?.message ?? "\(error)"
        shown.append(.failure(line: line.number, message: message))
      }
    }
    return shown
  }

  /// What remains to be said at the end, each on a line.
  var closingNotes: [String] {
    var notes: [String] = []
    func lines(_ count: Int) -> String { "\(count) \(count == 1 ? "line" : "lines")" }
    if let first = firstMismatch {
      let stated = DisplayWidth.fitting(first.stated, in: 30)
      let found = DisplayWidth.fitting(first.found, in: 30)
      notes.append(
        "in \(lines(mismatchCount)) a span's \"text\" is not what its offsets mark, first in line \(first.line): "
          + "'\(stated)' and '\(found)'; do the offsets count something else? See --offsets")
    }
    if passedOverCount > 0, let only = selection.only {
      notes.append("\(lines(passedOverCount)) without \(only.rawValue) not shown")
    }
    if failedCount > 0 {
      notes.append("\(lines(failedCount)) could not be used; each is named in its place")
    }
    return notes
  }

  private mutating func note(_ document: ShownDocument) {
    guard let mismatch = document.mismatch else { return }
    mismatchCount += 1
    if firstMismatch == nil { firstMismatch = (document.line, mismatch.stated, mismatch.found) }
  }
}
