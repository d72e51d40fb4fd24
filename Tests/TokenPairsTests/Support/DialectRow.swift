import Testing

@testable import TokenPairs

/// One training code, described by what its published source does.
struct DialectRow: Sendable, CustomTestStringConvertible {
  enum Split: Sendable { case alternating, halves }
  enum BiasOrder: Sendable { case evenEnd, evenStart, firstHalfEnd, firstHalfStart }

  let name: String
  let split: Split
  let biasOrder: BiasOrder
  let biasScale: Double
  var biasReadsHidden = false
  var storesInputsFirst = false
  /// Its GlobalPointer turns queries and keys along the head axis, which cancels out.
  var plainIsUnrotated = false

  var testDescription: String { name }

  static let all = [
    DialectRow("weft", .halves, .firstHalfStart, 0.5),
    DialectRow("bert4keras", .alternating, .evenEnd, 0.5),
    DialectRow("paddle", .alternating, .evenEnd, 0.5, storesInputsFirst: true),
    DialectRow("junnyu", .alternating, .evenEnd, 0.5),
    DialectRow("powerycy", .alternating, .evenEnd, 0.5),
    DialectRow("gaohongkui", .alternating, .evenEnd, 0.5),
    DialectRow("xhw205", .alternating, .evenEnd, 0.5, biasReadsHidden: true),
    DialectRow("adaseq", .alternating, .evenEnd, 0.5, biasReadsHidden: true),
    DialectRow("bert4torch", .halves, .evenStart, 0.5),
    DialectRow("bert4torch-0.2.7", .halves, .evenStart, 0.5, plainIsUnrotated: true),
    DialectRow("bert4torch-0.2.5", .halves, .evenStart, 1, plainIsUnrotated: true),
    DialectRow("taishan1994", .halves, .evenStart, 1, plainIsUnrotated: true),
    DialectRow("ark-nlp", .halves, .firstHalfEnd, 0.5),
  ]

  init(
    _ name: String, _ split: Split, _ biasOrder: BiasOrder, _ biasScale: Double,
    biasReadsHidden: Bool = false, storesInputsFirst: Bool = false, plainIsUnrotated: Bool = false
  ) {
    self.name = name
    self.split = split
    self.biasOrder = biasOrder
    self.biasScale = biasScale
    self.biasReadsHidden = biasReadsHidden
    self.storesInputsFirst = storesInputsFirst
    self.plainIsUnrotated = plainIsUnrotated
  }

  /// What the stored projection's channel `stored` of an efficient head is: a channel of `[q | k]`.
  func channel(_ stored: Int, headSize: Int) -> Int {
    switch split {
    case .halves: stored
    case .alternating where stored.isMultiple(of: 2): stored / 2
    case .alternating: headSize + stored / 2
    }
  }

  /// Which bias the stored bias layer's output `stored` is.
  func bias(_ stored: Int, types: Int) -> (type: Int, isEnd: Bool) {
    switch biasOrder {
    case .evenEnd: (stored / 2, stored.isMultiple(of: 2))
    case .evenStart: (stored / 2, !stored.isMultiple(of: 2))
    case .firstHalfEnd: (stored % types, stored < types)
    case .firstHalfStart: (stored % types, stored >= types)
    }
  }
}
