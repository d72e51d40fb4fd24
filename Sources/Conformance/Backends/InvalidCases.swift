internal import Diffusion
internal import Engine
internal import Networks
internal import TokenPairs

/// Contradictory operations are refused when they are added, and leave the submission as it was.
extension ConformanceKit {
  static let invalidCases: [ConformanceCase] = [
    invalid("pairwise product") { parts in
      let product = parts.product
      return [
        ("heads differ", changed(product) { $0.rows = parts.slices(heads: 2, channels: 2) }),
        ("channels differ", changed(product) { $0.rows = parts.slices(channels: 3) }),
        ("rows past the end", changed(product) { $0.rowExtent = .whole(7) }),
        ("too few panels", changed(product) { $0.columnExtent = .whole(10_000) }),
        ("one side ragged", changed(product) { $0.rowExtent = .ragged(parts.table) }),
        ("scale NaN", changed(product) { $0.scale = .nan }),
        ("scores too small", changed(product) { $0.epilogue = StoredScores(into: parts.cells) }),
        ("scores of a wrong rank", changed(product) { $0.epilogue = StoredScores(into: parts.matrix) }),
      ]
    },
    invalid("selection") { parts in
      var selections: [(String, CellSelection)] = []
      func add(_ name: String, _ change: (inout CellSelection) -> Void) {
        var selection = parts.selection
        change(&selection)
        selections.append((name, selection))
      }
      add("list of floats") { $0.cells = parts.matrix }
      add("list of pairs") { $0.cells = parts.pairs }
      add("count of floats") { $0.found = parts.matrix }
      add("negative margin") { $0.margin = -1 }
      add("thresholds of integers") { $0.thresholds = parts.pairs }
      return selections.map { name, selection in
        (name, changed(parts.product) { $0.epilogue = selection })
      }
    },
    invalid("pair links") { parts in
      let scores = LinkScores(rows: parts.slices(channels: 5), columns: parts.slices(channels: 5))
      let join = PairLinks(
        head: scores, tail: scores, pairs: parts.pairs, pairCount: 7, scale: 1, threshold: 0,
        hits: parts.selection.cells, found: parts.selection.found)
      func changed(_ change: (inout PairLinks) -> Void) -> any DeviceOperation {
        var join = join
        change(&join)
        return join
      }
      return [
        ("more pairs than are listed", changed { $0.pairCount = 8 }),
        ("no pairs", changed { $0.pairCount = 0 }),
        ("channels differ", changed { $0.head.columns = parts.slices(channels: 4) }),
        (
          "sides differ",
          changed { $0.tail = LinkScores(rows: parts.slices(channels: 4), columns: parts.slices(channels: 4)) }
        ),
        ("one side has biases", changed { $0.head.biases = .init(parts.result, predicates: 2, scale: 1) }),
        (
          "biases too narrow",
          changed {
            $0.head.biases = .init(parts.result, predicates: 3, scale: 1)
            $0.tail.biases = .init(parts.result, predicates: 3, scale: 1)
          }
        ),
        ("pairs of floats", changed { $0.pairs = parts.matrix }),
        ("hits of two words", changed { $0.hits = parts.pairs }),
        ("threshold NaN", changed { $0.threshold = .nan }),
      ]
    },
    invalid("dense layer") { parts in
      let weights = DenseWeights(panels: parts.panels, bias: parts.bias, outputs: 4)
      let layer = DenseLayer(parts.matrix, rows: 6, weights: weights, into: parts.result)
      func changed(_ change: (inout DenseLayer) -> Void) -> any DeviceOperation {
        var layer = layer
        change(&layer)
        return layer
      }
      return [
        ("input of another width", changed { $0.input = parts.result }),
        ("rows past the end", changed { $0.rows = 7 }),
        ("no rows", changed { $0.rows = 0 }),
        ("result of another width", changed { $0.out = parts.matrix }),
        ("residual too small", changed { $0.residual = parts.bias }),
        ("input of integers", changed { $0.input = parts.pairs }),
      ]
    },
    invalid("posterior mean") { parts in
      func changed(_ change: (inout PosteriorMean) -> Void) -> PosteriorMean {
        var mean = parts.posteriorMean
        change(&mean)
        return mean
      }
      return [
        ("scratch too small", changed { $0.partials = parts.matrix }.operations[0]),
        ("merge from scratch too small", changed { $0.partials = parts.matrix }.operations[1]),
        ("levels of another width", changed { $0.levels.table = parts.matrix }.operations[0]),
        ("levels past the end", changed { $0.levels.stride = 1 }.operations[1]),
        ("result too small", changed { $0.out = parts.bias }.operations[1]),
        ("result over the samples", changed { $0.out = parts.matrix }.operations[1]),
        ("scratch over the levels", changed { $0.partials = $0.levels.table }.operations[0]),
        ("rows past the end", changed { $0.rows = 7 }.operations[1]),
      ]
    },
    invalid("row operations and attention") { parts in
      let rotary = RotaryTable(tensor: parts.matrix)
      return [
        (
          "gain too small",
          LayerNormalization(
            parts.matrix, rows: 6, gain: parts.bias, bias: parts.bias, epsilon: 1,
            into: parts.matrix)
        ),
        (
          "ids are floats",
          EmbeddingSum(
            ids: parts.matrix, tokenPositions: parts.pairs, rows: 2, words: parts.matrix,
            positions: parts.matrix, types: parts.matrix, into: parts.matrix)
        ),
        (
          "rotary table of a wrong rank",
          RotateRows(
            parts.slices(channels: 2), rows: 2, positions: parts.pairs, rotary: rotary,
            into: HeadSlices(parts.result, channels: 2))
        ),
        (
          "panels of other channels",
          PackColumns(parts.slices(channels: 2), extent: .whole(4), into: parts.panels)
        ),
        (
          "attention without room",
          Attention(
            queries: parts.slices(channels: 5), keys: parts.panels,
            values: parts.slices(channels: 5), segments: parts.table, scale: 1, into: parts.bias)
        ),
      ]
    },
  ]

  private static func changed(
    _ product: PairwiseProduct, _ change: (inout PairwiseProduct) -> Void
  ) -> any DeviceOperation {
    var product = product
    change(&product)
    return product
  }

  private static func invalid(
    _ title: String,
    operations: @escaping @Sendable (InvalidParts) throws -> [(String, any DeviceOperation)]
  ) -> ConformanceCase {
    ConformanceCase(.invalid, title, small: true) { engine in
      var workspace = Workspace(engine)
      let parts = try InvalidParts(in: &workspace)
      for (name, operation) in try operations(parts) {
        try expect(.invalidOperation, "\(title), \(name)") {
          try workspace.append(operation)
        }
      }
      guard workspace.submission.operations.isEmpty else {
        throw Mismatch("a refused operation is in the submission")
      }
      let left = try await workspace.run(reading: parts.matrix)
      try compareBits(left, Poison.floats(30), "a tensor that only refused operations name")
    }
  }
}

/// Tensors of this backend that fit together: 6 rows of 5 channels, 4 columns.
struct InvalidParts {
  /// float32 `[6, 5]`
  let matrix: Tensor
  /// float32 `[6, 4]`
  let result: Tensor
  /// float32 `[4]`
  let bias: Tensor
  /// int32 `[15, 2]`
  let pairs: Tensor
  /// float32 `[1, 5, 4]`
  let cells: Tensor
  /// One head of 5 channels, room for 4 columns.
  let panels: Panels
  /// Segments of 4 and 2 rows.
  let table: SegmentTable
  /// A valid list.
  let selection: CellSelection
  /// A valid product.
  let product: PairwiseProduct
  /// A valid denoiser of 6 components in two chunks.
  let posteriorMean: PosteriorMean

  init(in workspace: inout Workspace) throws {
    matrix = try workspace.upload(Poison.floats(30), 6, 5)
    result = try workspace.upload(Poison.floats(24), 6, 4)
    bias = try workspace.upload(Poison.floats(4), 4)
    pairs = try workspace.upload(integers: Poison.integers(30), 15, 2)
    cells = try workspace.upload(Poison.floats(20), 1, 5, 4)
    panels = try workspace.emptyPanels(for: .whole(4), channels: 5)
    table = try workspace.segments([4, 2])
    selection = CellSelection(
      thresholds: bias, triangular: false, margin: 0,
      cells: try workspace.upload(integers: Poison.integers(8), 2, 4),
      found: try workspace.upload(integers: [0, 0], 2))
    product = PairwiseProduct(
      rows: HeadSlices(matrix, channels: 5), columns: panels, rowExtent: .whole(6),
      columnExtent: .whole(4), epilogue: selection)
    let chunks = Extent.ragged(table)
    posteriorMean = PosteriorMean(
      HeadSlices(matrix, channels: 5), rows: 6,
      mixture: Mixture(
        means: try workspace.upload(Poison.floats(30), 6, 5),
        columns: try workspace.emptyPanels(for: chunks, channels: 5),
        terms: try workspace.emptyPanels(for: chunks, channels: 2), chunks: table,
        variances: try workspace.upload(Poison.floats(2), 2)),
      levels: CoefficientRows(try workspace.upload(Poison.floats(64), 2, CoefficientRow.width)),
      partials: try workspace.upload(Poison.floats(6 * 2 * 48), 6, 2, 48),
      into: try workspace.upload(Poison.floats(30), 6, 5))
    // The parts must be valid together, or a refusal would prove nothing.
    var trial = Submission()
    try trial.append(product)
    for operation in posteriorMean.operations { try trial.append(operation) }
  }

  func slices(heads: Int = 1, channels: Int) -> HeadSlices {
    HeadSlices(matrix, headStride: channels, heads: heads, channels: channels)
  }
}
