internal import ModelFiles

/// What a training learns from, as far as a later one can tell whether it is the same.
struct TrainingDataKey: Sendable, Hashable, Codable {
  /// Checksum and size of the encoder's files.
  let encoder: String
  /// Checksum of the training texts and what is true of them.
  let train: String
  /// Checksum of the development texts and what is true of them.
  let development: String
  let features: FeaturePrecision
  /// The device that computes: another one rounds otherwise.
  let device: String

  /// What differs, as the rest of "a training with ...".
  func differences(from other: TrainingDataKey) -> [String] {
    [
      (encoder != other.encoder, "another encoder"), (train != other.train, "other training data"),
      (development != other.development, "other development data"),
      (features != other.features, "features in \(other.features.rawValue)"),
    ].filter(\.0).map(\.1)
  }
}

extension Checksum {
  /// Checksum and size, for people too.
  var text: String { "\(hexadecimal)-\(count)" }

  /// Of documents in their order, with what is true of them in an order of its own.
  init(of documents: [TrainingDocument]) {
    self.init()
    for document in documents {
      add(document.text)
      for line in document.gold.lines.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) { add(line) }
    }
  }
}

extension TrainingDocument.Gold {
  /// Each label as a text of its own.
  fileprivate var lines: [String] {
    switch self {
    case .entities(let entities): entities.map { "\($0.range) \($0.label)" }
    case .relations(let relations): relations.map { "\($0.subject) \($0.object) \($0.predicate)" }
    case .events(let events):
      events.map { event in
        let arguments = event.arguments.map { "\($0.range) \($0.role) \($0.aliases)" }.sorted()
        return "\(event.type) \(arguments)"
      }
    }
  }
}
