/// How a training code lays out a head's parameters. Importing turns every dialect into one normal form.
///
/// Each is named after the project whose published code it was read from.
package struct HeadDialect: Sendable, Hashable {
  /// Which channels of the efficient head's projection are queries and which keys.
  package enum ProjectionSplit: Sendable, Hashable {
    /// Even channels query, odd channels key.
    case interleaved
    /// First half query, second half key.
    case halves
  }

  /// Which rows of the efficient head's bias layer are start and which end biases.
  package enum BiasRows: Sendable, Hashable {
    case evenEnd
    case evenStart
    case firstHalfEnd
    case firstHalfStart
  }

  /// What the bias layer reads.
  package enum BiasInput: String, Sendable, Hashable, CaseIterable {
    /// The projection, before rotation.
    case projection
    /// The encoder's output.
    case hidden
  }

  package let name: String
  package let split: ProjectionSplit
  package let biasRows: BiasRows
  package let biasScale: Float
  package let biasInput: BiasInput
  /// Weights are stored `[inputs, outputs]`.
  package let storesInputsFirst: Bool
  /// The plain head was rotated along its head axis, which cancels out: it behaves as without rotation.
  package let plainHeadIsUnrotated: Bool

  /// The normal form: halves, start rows before end rows.
  package static let normal = normal(biasScale: 0.5, biasInput: .projection)

  /// The normal form of a head whose bias is of its own making. Rows and columns can be put into any order; these two
  /// belong to what the training code computes and go with the weights.
  package static func normal(biasScale: Float, biasInput: BiasInput) -> HeadDialect {
    HeadDialect("weft", .halves, .firstHalfStart, biasScale, biasInput)
  }

  package static let all: [HeadDialect] = [
    normal,
    HeadDialect("bert4keras", .interleaved, .evenEnd, 0.5, .projection),
    HeadDialect("paddle", .interleaved, .evenEnd, 0.5, .projection, storesInputsFirst: true),
    HeadDialect("junnyu", .interleaved, .evenEnd, 0.5, .projection),
    HeadDialect("powerycy", .interleaved, .evenEnd, 0.5, .projection),
    HeadDialect("xhw205", .interleaved, .evenEnd, 0.5, .hidden),
    HeadDialect("adaseq", .interleaved, .evenEnd, 0.5, .hidden),
    HeadDialect("gaohongkui", .interleaved, .evenEnd, 0.5, .projection),
    HeadDialect("bert4torch", .halves, .evenStart, 0.5, .projection),
    HeadDialect("bert4torch-0.2.7", .halves, .evenStart, 0.5, .projection, plainHeadIsUnrotated: true),
    HeadDialect("bert4torch-0.2.5", .halves, .evenStart, 1, .projection, plainHeadIsUnrotated: true),
    HeadDialect("taishan1994", .halves, .evenStart, 1, .projection, plainHeadIsUnrotated: true),
    HeadDialect("ark-nlp", .halves, .firstHalfEnd, 0.5, .projection),
  ]

  package static func named(_ name: String) -> HeadDialect? {
    all.first { $0.name == name.lowercased() }
  }

  private init(
    _ name: String, _ split: ProjectionSplit, _ biasRows: BiasRows, _ biasScale: Float, _ biasInput: BiasInput,
    storesInputsFirst: Bool = false, plainHeadIsUnrotated: Bool = false
  ) {
    self.name = name
    self.split = split
    self.biasRows = biasRows
    self.biasScale = biasScale
    self.biasInput = biasInput
    self.storesInputsFirst = storesInputsFirst
    self.plainHeadIsUnrotated = plainHeadIsUnrotated
  }

  /// Which stored row of the projection becomes row `row` of the normal form, which has `2 · headSize` rows.
  func projectionRow(_ row: Int, headSize: Int) -> Int {
    switch split {
    case .halves: row
    case .interleaved: row < headSize ? 2 * row : 2 * (row - headSize) + 1
    }
  }

  /// Which stored row of the bias layer becomes row `row` of the normal form: start rows, then end rows.
  func biasRow(_ row: Int, types: Int) -> Int {
    let type = row % types
    let isEnd = row >= types
    return switch biasRows {
    case .evenEnd: 2 * type + (isEnd ? 0 : 1)
    case .evenStart: 2 * type + (isEnd ? 1 : 0)
    case .firstHalfEnd: isEnd ? type : types + type
    case .firstHalfStart: row
    }
  }
}
