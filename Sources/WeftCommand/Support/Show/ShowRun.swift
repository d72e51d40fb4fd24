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

  /// Messages for the end of the run, each on a line.
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

/// What of a document is shown.
struct ShowSelection: Sendable {
  enum Findings: String, CaseIterable, Sendable { case entities, relations, events }

  /// Shows these alone; nil shows all.
  var only: Findings?
  /// Leaves out what has a lower score. What has none, as true answers, stays.
  var minimumScore: Double?

  func apply(to document: ShownDocument) -> ShownDocument {
    var document = document
    document.entities = only ?? .entities == .entities ? document.entities.filter { passes($0.score) } : []
    document.relations = only ?? .relations == .relations ? document.relations.filter { passes($0.score) } : []
    document.events = only ?? .events == .events ? document.events.compactMap(apply) : []
    return document
  }

  /// Whether a document has any of what was asked for.
  func concerns(_ document: ShownDocument) -> Bool {
    switch only {
    case .entities: !document.entities.isEmpty
    case .relations: !document.relations.isEmpty
    case .events: !document.events.isEmpty
    case nil: true
    }
  }

  private func apply(_ event: ShownDocument.Event) -> ShownDocument.Event? {
    guard passes(event.score) else { return nil }
    var passing = event
    passing.arguments = event.arguments.filter { passes($0.score) }
    return passing.arguments.isEmpty && !event.arguments.isEmpty ? nil : passing
  }

  private func passes(_ score: Double?) -> Bool {
    guard let minimumScore, let score else { return true }
    return score >= minimumScore
  }
}
