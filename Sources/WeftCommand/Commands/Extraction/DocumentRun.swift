import DequeModule
import Engine
import Synchronization
import TokenPairs

/// One input line with what became of it.
struct FinishedLine {
  let number: Int
  /// The line as it was read, or why it could not be.
  let line: Result<JSONLine, LineFailure>
  let document: ExtractedDocument?
  /// Whether all lines read so far have been handed out, so that a reader who waits for answers should get them now.
  let isCaughtUp: Bool
}

/// Sends input lines through an extractor and hands them back in order, each with its document or its failure.
///
/// A text that the device has no room for is its line's failure. A device that fails otherwise would fail on every
/// line: that ends the run.
struct DocumentRun {
  let extractor: Extractor
  let lines: AsyncInputLines
  /// Lines are plain text, not JSON.
  let arePlain: Bool

  /// - Parameter consume: is given every line, in input order.
  /// - Throws: what `consume` throws, and what ends the whole run: an input or a device that failed.
  func forEach(_ consume: (FinishedLine) throws -> Void) async throws {
    let source = LineTexts(lines: lines, arePlain: arePlain)
    for try await outcome in extractor.outcomes(in: source) {
      guard let entry = source.takeNext() else { break }
      func finish(_ line: Result<JSONLine, LineFailure>, _ document: ExtractedDocument?) throws {
        try consume(
          FinishedLine(number: entry.number, line: line, document: document, isCaughtUp: entry.isLast))
      }
      switch (entry.line, outcome) {
      case (.failure, _):
        try finish(entry.line, nil)
      case (.success, .success(let document)):
        try finish(entry.line, document)
      case (.success, .failure(let error)):
        guard error.kind == .exhausted else { throw error }
        try finish(.failure(LineFailure(message: error.message)), nil)
      }
    }
  }
}

/// The texts of input lines. A line without one gives an empty text, which costs next to nothing and keeps the order.
private final class LineTexts: AsyncSequence, Sendable {
  typealias Element = String
  typealias Entry = (number: Int, line: Result<JSONLine, LineFailure>)

  private let lines: AsyncInputLines
  private let arePlain: Bool
  private let waiting = Mutex<Deque<Entry>>([])

  init(lines: AsyncInputLines, arePlain: Bool) {
    self.lines = lines
    self.arePlain = arePlain
  }

  func makeAsyncIterator() -> Iterator { Iterator(lines: lines.makeAsyncIterator(), owner: self) }

  struct Iterator: AsyncIteratorProtocol {
    var lines: AsyncInputLines.Iterator
    let owner: LineTexts

    mutating func next() async throws -> String? {
      guard let input = try await lines.next() else { return nil }
      let line = owner.parse(input)
      owner.waiting.withLock { $0.append((input.number, line)) }
      return (try? line.get().text) ?? ""
    }
  }

  /// The oldest line that has not been taken, and whether it is the only one.
  func takeNext() -> (number: Int, line: Result<JSONLine, LineFailure>, isLast: Bool)? {
    waiting.withLock { waiting in
      waiting.popFirst().map { ($0.number, $0.line, waiting.isEmpty) }
    }
  }

  private func parse(_ input: InputLine) -> Result<JSONLine, LineFailure> {
    do {
      let bytes = try input.content.get()
      return .success(arePlain ? try JSONLine(plainText: bytes) : try JSONLine(bytes))
    } catch {
      return .failure(LineFailure(message: "\(error)"))
    }
  }
}
