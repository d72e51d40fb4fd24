/// Gives each label a colour, the same on every line and in every document.
struct LabelPalette: Sendable {
  /// Told apart easily, and readable on dark and on light backgrounds.
  private static let colours: [Colour] = [
    Colour(many: 33, sixteen: 34), Colour(many: 208, sixteen: 33), Colour(many: 35, sixteen: 32),
    Colour(many: 170, sixteen: 35), Colour(many: 37, sixteen: 36), Colour(many: 203, sixteen: 31),
    Colour(many: 141, sixteen: 95), Colour(many: 178, sixteen: 93), Colour(many: 107, sixteen: 92),
    Colour(many: 211, sixteen: 91),
  ]

  private let places: [String: Int]

  /// - Parameter labels: the model's labels; their order decides the colours.
  init(labels: [String]) {
    places = Dictionary(
      labels.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
  }

  subscript(label: String) -> Colour {
    // FNV-1a: unlike Hashable, the same in every run.
    let place =
      places[label]
      ?? Int(label.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 } >> 1)
    return Self.colours[place % Self.colours.count]
  }
}
