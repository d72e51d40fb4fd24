internal import Foundation

/// One line on standard error that says how far a run is, how fast, and how long to go.
///
/// ```
/// extract  ━━━━━━━━━━━━━━╸───────────  54%  5,412/10,000  312 docs/s  61.2k tokens/s  ETA 0:15
/// ```
///
/// Drawn at most ten times a second and erased at the end. Where the total is unknown, a spinner
/// takes the place of the bar.
final class ProgressBar {
  /// What is counted.
  struct Unit: Sendable {
    /// One, and the short form of many that speeds are given in.
    var noun: String
    var plural: String
    var rate: String

    static let documents = Unit(noun: "document", plural: "documents", rate: "docs/s")
    static let steps = Unit(noun: "step", plural: "steps", rate: "steps/s")
    static let windows = Unit(noun: "window", plural: "windows", rate: "windows/s")
    static let vectors = Unit(noun: "vector", plural: "vectors", rate: "vectors/s")
    static let operations = Unit(noun: "operation", plural: "operations", rate: "operations/s")
    static let classes = Unit(noun: "class", plural: "classes", rate: "classes/s")
  }

  /// Said before the counts where there is room.
  var remark = ""

  /// What stands before the bar; it may change as the run goes on.
  var title: String
  private let unit: Unit
  private let width: () -> Int
  private let terminal: Terminal
  private let clock: () -> Duration
  private let sink: (String) -> Void
  private var state: ProgressState
  private var lastDrawn: Duration?
  private var frame = 0

  private static let interval: Duration = .milliseconds(100)

  /// A bar for standard error, or nil where that is no terminal that can redraw a line.
  static func onStandardError(title: String, total: Int?, unit: Unit = .documents) -> ProgressBar? {
    let terminal = Terminal(describing: STDERR_FILENO)
    guard terminal.canRedraw else { return nil }
    let start = ContinuousClock.now
    let descriptor = FileDescriptor(borrowing: STDERR_FILENO)
    return ProgressBar(
      title: title, total: total, unit: unit, terminal: terminal,
      width: { Terminal.columns(of: STDERR_FILENO) ?? terminal.width },
      clock: { ContinuousClock.now - start },
      sink: { _ = descriptor.writeAll(Array($0.utf8)) })
  }

  /// `width` is asked each time the line is drawn (nil: the terminal's), `clock` gives the time since
  /// the start, and `sink` receives each line, control codes included.
  init(
    title: String, total: Int?, unit: Unit = .documents, terminal: Terminal, width: (() -> Int)? = nil,
    clock: @escaping () -> Duration, sink: @escaping (String) -> Void
  ) {
    self.title = title
    self.unit = unit
    self.terminal = terminal
    self.width = width ?? { terminal.width }
    self.clock = clock
    self.sink = sink
    state = ProgressState(total: total)
  }

  /// Counts finished work, and draws if it is time to.
  func advance(documents: Int = 1, tokens: Int) {
    state.advance(documents: documents, tokens: tokens)
    let now = clock()
    if let lastDrawn, now - lastDrawn < Self.interval { return }
    lastDrawn = now
    state.sample(at: now)
    frame += 1
    // A full last column would wrap and leave lines behind.
    sink("\r\u{1B}[2K" + line(columns: width() - 1))
  }

  /// Erases the line, for other output on the same terminal; it comes back when it is next drawn.
  func clear() {
    guard lastDrawn != nil else { return }
    lastDrawn = nil
    sink("\r\u{1B}[2K")
  }

  /// Erases the bar for good.
  /// - Returns: a summary: `1,000 documents in 3.2 s, 312 docs/s, 61.2k tokens/s`.
  func finish() -> String {
    clear()
    let seconds = clock() / .seconds(1)
    let noun = state.documents == 1 ? unit.noun : unit.plural
    var summary = "\(Quantity.grouped(state.documents)) \(noun) in \(Quantity.short(seconds)) s"
    if seconds > 0 && state.documents > 0 {
      summary += ", \(Quantity.short(Double(state.documents) / seconds)) \(unit.rate)"
      if state.tokens > 0 { summary += ", \(Quantity.short(Double(state.tokens) / seconds)) tokens/s" }
    }
    return summary
  }

  // MARK: The line

  /// The line in at most `columns` columns; what matters least gives way first.
  private func line(columns: Int) -> String {
    let counts =
      Quantity.grouped(state.documents) + (state.total.map { "/" + Quantity.grouped($0) } ?? "")
    var fields = [counts]
    if let fraction = state.fraction { fields.insert("\(Int(fraction * 100))%", at: 0) }
    if let seconds = state.remainingSeconds {
      fields.append("ETA " + Quantity.clock(seconds: seconds))
    }

    let least = state.fraction == nil ? 1 : 8  // a spinner, or the shortest bar worth drawing
    var room = columns - DisplayWidth.of(title) - 2 - least
    for field in fields { room -= field.count + 2 }
    guard room >= 0 else { return Self.fitting(fields, columns: columns) }

    let documents = Quantity.short(state.documentsPerSecond) + " " + unit.rate
    let tokens = Quantity.short(state.tokensPerSecond) + " tokens/s"
    let end = state.remainingSeconds == nil ? fields.count : fields.count - 1
    if state.documentsPerSecond > 0, room >= documents.count + 2 {
      fields.insert(documents, at: end)
      room -= documents.count + 2
      if state.tokensPerSecond > 0, room >= tokens.count + 2 {
        fields.insert(tokens, at: end + 1)
        room -= tokens.count + 2
      }
    }
    if !remark.isEmpty, room >= DisplayWidth.of(remark) + 2 {
      fields.insert(remark, at: 0)
      room -= DisplayWidth.of(remark) + 2
    }
    let gauge = state.fraction.map { bar($0, columns: min(least + room, 40)) } ?? spinner
    return ([Style.bold.apply(to: title, colours: terminal.colours), gauge] + fields)
      .joined(separator: "  ")
  }

  /// The first fields that fit, where there is no room for a bar.
  private static func fitting(_ fields: [String], columns: Int) -> String {
    var line = ""
    for field in fields where line.count + field.count + (line.isEmpty ? 0 : 2) <= columns {
      line += (line.isEmpty ? "" : "  ") + field
    }
    return line
  }

  private func bar(_ fraction: Double, columns: Int) -> String {
    let halves = Int(fraction * Double(columns * 2))
    guard terminal.isUnicode else {
      return String(repeating: "#", count: halves / 2)
        + String(repeating: ".", count: columns - halves / 2)
    }
    let done = String(repeating: "━", count: halves / 2) + (halves % 2 == 1 ? "╸" : "")
    let rest = String(repeating: "─", count: columns - (halves + 1) / 2)
    return Style(colour: .accent).apply(to: done, colours: terminal.colours)
      + Style.dim.apply(to: rest, colours: terminal.colours)
  }

  private var spinner: String {
    let frames = terminal.isUnicode ? Array("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏") : Array("|/-\\")
    return Style(colour: .accent).apply(
      to: String(frames[frame % frames.count]), colours: terminal.colours)
  }
}

/// What a progress bar knows: counts, and how fast they grew lately. A pure value.
struct ProgressState: Sendable {
  /// The speeds look back this far, so that they follow a change and do not flicker.
  static let window: Duration = .seconds(10)

  private struct Sample {
    var time: Duration
    var documents: Int
    var tokens: Int
  }

  private(set) var documents = 0
  private(set) var tokens = 0
  /// Documents in all, where that is known.
  let total: Int?
  private var samples = [Sample(time: .zero, documents: 0, tokens: 0)]

  init(total: Int?) { self.total = total }

  mutating func advance(documents: Int, tokens: Int) {
    self.documents += documents
    self.tokens += tokens
  }

  /// Notes the counts at `time` since the start.
  mutating func sample(at time: Duration) {
    samples.append(Sample(time: time, documents: documents, tokens: tokens))
    while samples.count > 2, samples[1].time <= time - Self.window { samples.removeFirst() }
  }

  /// A second lately; 0 before there is anything to say.
  var documentsPerSecond: Double { speed(\.documents) }
  var tokensPerSecond: Double { speed(\.tokens) }

  /// Between 0 and 1; nil where the total is unknown.
  var fraction: Double? {
    guard let total, total > 0 else { return nil }
    return min(Double(documents) / Double(total), 1)
  }

  /// Seconds to go; nil where the total or the speed is unknown.
  var remainingSeconds: Double? {
    guard let total, documentsPerSecond > 0 else { return nil }
    return Double(max(total - documents, 0)) / documentsPerSecond
  }

  private func speed(_ count: KeyPath<Sample, Int>) -> Double {
    guard let first = samples.first, let last = samples.last else { return 0 }
    let seconds = (last.time - first.time) / .seconds(1)
    return seconds > 0 ? Double(last[keyPath: count] - first[keyPath: count]) / seconds : 0
  }
}
