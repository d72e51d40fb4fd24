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

  /// Seconds to go; nil where nobody can know.
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
