internal import ModelFiles

/// How a training code lays out a head's parameters. Both who imports a checkpoint and who loads a model's own files turn
/// every dialect into one normal form, with the orders that this type gives.
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

  /// The normal form of a head with a bias of another scale or input. Rows and columns can be put into any order; these
  /// two belong to what the training code computes and stay with the weights.
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

  // MARK: The normal form

  /// What a head of this dialect computes.
  /// - Parameters:
  ///   - kind: the kind of head.
  ///   - types: its score matrices.
  ///   - headSize: channels of a query.
  ///   - rope: whether the training code was told to rotate.
  ///   - triangular: whether only cells whose row is not after their column are scored.
  /// - Returns: the shape of the head in normal form.
  func shape(_ kind: HeadKind, types: Int, headSize: Int, rope: Bool, triangular: Bool) -> HeadShape {
    HeadShape(
      kind: kind, types: types, headSize: headSize, rope: rope && !(kind == .globalPointer && plainHeadIsUnrotated),
      triangular: triangular, biasScale: biasScale, biasInput: biasInput)
  }

  /// Where the normal form's rows of a head's projection come from.
  func projectionOrder(of head: HeadShape) -> LayerOrder {
    head.kind == .efficient ? LayerOrder(outputs: channels(of: head)) : .asStored
  }

  /// Where the normal form's rows and columns of an efficient head's bias layer come from.
  func biasOrder(of head: HeadShape) -> LayerOrder {
    LayerOrder(
      outputs: (0..<2 * head.types).map { biasRow($0, types: head.types) },
      // The bias layer reads the projection, whose channels move.
      inputs: head.biasInput == .projection ? channels(of: head) : nil)
  }

  /// Which stored channel of an efficient head's projection becomes each channel of the normal form.
  private func channels(of head: HeadShape) -> [Int] {
    (0..<2 * head.headSize).map { channel in
      switch split {
      case .halves: channel
      case .interleaved: channel < head.headSize ? 2 * channel : 2 * (channel - head.headSize) + 1
      }
    }
  }

  /// Which stored row of the bias layer becomes row `row` of the normal form: start rows, then end rows.
  private func biasRow(_ row: Int, types: Int) -> Int {
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

/// The order that a stored layer's outputs and inputs are brought into: numbers move and are not rounded.
struct LayerOrder: Sendable, Hashable {
  /// Which stored output each output is; in the stored order if nil.
  var outputs: [Int]?
  /// Which stored input each input is; in the stored order if nil.
  var inputs: [Int]?

  static let asStored = LayerOrder()

  /// A layer's weights `[outputs, inputs]` or its bias `[outputs]` in this order.
  /// - Parameters:
  ///   - tensor: the tensor as it is stored.
  ///   - isTransposed: whether it is stored `[inputs, outputs]`.
  /// - Returns: the tensor in normal form.
  func applied(to tensor: StoredTensor, isTransposed: Bool) -> StoredTensor {
    var tensor = isTransposed ? tensor.transposed : tensor
    if let outputs { tensor = tensor.rows(outputs) }
    if let inputs, tensor.shape.count == 2 { tensor = tensor.columns(inputs) }
    return tensor
  }
}
