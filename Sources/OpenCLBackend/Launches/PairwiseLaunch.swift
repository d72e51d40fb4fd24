internal import Engine

/// What a pairwise kernel is compiled and called with for one epilogue: the header's number in
/// `Kernels/pairwise/pairwise.cl`, more macros, and the arguments in the header's order.
struct EpilogueBinding {
  let defines: [String: Int]
  let arguments: [KernelLaunch.Argument]
}

extension PairwiseEpilogue {
  func binding(for product: PairwiseProduct) -> EpilogueBinding {
    switch self {
    case .store(let out):
      EpilogueBinding(
        defines: ["PW_EPILOGUE": 0],
        arguments: [.tensor(out), .int(out.shape[1]), .int(out.shape[2])])
    case .select(let selection):
      EpilogueBinding(defines: ["PW_EPILOGUE": 1], arguments: selection.arguments)
    case .selectTyped(let selection, let biases):
      EpilogueBinding(
        defines: ["PW_EPILOGUE": 2],
        arguments: [.tensor(biases.panels.tensor), .int(biases.types), .float(biases.scale)]
          + selection.arguments)
    case .average(let average):
      EpilogueBinding(
        // Few channels fill one vector: a second would be all padding.
        defines: ["PW_EPILOGUE": 4].merging(average.mixture.channels <= 16 ? ["PW_SUM_VECTORS": 1] : [:]) { $1 },
        arguments: [
          .tensor(average.mixture.means), .int(average.mixture.components), .int(average.mixture.channels),
          .tensor(average.mixture.terms.tensor), .tensor(average.mixture.variances),
        ] + average.levels.arguments + [.tensor(average.partials)])
    case .loss(let sums): sums.binding(for: product)
    case .lossGradient(let gradient): gradient.binding(for: product)
    case .topK(let selection):
      EpilogueBinding(
        defines: ["PW_EPILOGUE": 7],
        arguments: [
          .tensor(selection.terms.tensor), .tensor(selection.excluded), .int(selection.k), .tensor(selection.lists),
        ])
    case .mutualTopK(let mutual): PairwiseEpilogue.topK(mutual.selection).binding(for: product)
    }
  }
}

extension CellSelection {
  fileprivate var arguments: [KernelLaunch.Argument] {
    [
      .tensor(thresholds), .int(triangular ? 1 : 0), .int(margin), .int(capacity), .tensor(cells), .tensor(found),
    ]
  }
}

extension DenseLayer {
  fileprivate var binding: EpilogueBinding {
    EpilogueBinding(
      defines: ["PW_EPILOGUE": 3, "PW_ACTIVATION": activation.number, "PW_RESIDUAL": residual == nil ? 0 : 1],
      arguments: [.tensor(out), .int(out.width), .tensor(weights.bias), .tensor(residual ?? out)])
  }
}

extension PairwiseProduct {
  func launches(_ shape: TileShape) -> [KernelLaunch] {
    if case .mutualTopK(let mutual) = epilogue { return mutualLaunches(shape, mutual) }
    if case .ragged(let chunks) = columnExtent, epilogue.takesChunks { return [chunkedLaunch(shape, chunks)] }
    return [wholeLaunch(shape)]
  }

  /// One work-item walks all panels of its rows, and the columns stay in cache.
  func wholeLaunch(_ shape: TileShape) -> KernelLaunch {
    pairwiseLaunch(
      shape, rows: rows, columns: columns, rowExtent: rowExtent, columnExtent: columnExtent, scale: scale,
      panelsPerItem: ceilingDivide(columnExtent.longest, columns.width), binding: epilogue.binding(for: self))
  }

  /// All rows meet each chunk of the columns.
  private func chunkedLaunch(_ shape: TileShape, _ chunks: SegmentTable) -> KernelLaunch {
    let binding = epilogue.binding(for: self)
    let rowCount = rowExtent.rowCount
    let registerRows = shape.chunkRows(rowCount, for: epilogue)
    let tiles = shape.chunkTiles
    let defines = ["PW_CHUNKED": 1, "PW_TILES": tiles, "PW_ROWS": registerRows]
      .merging(shape.defines) { $1 }
    return KernelLaunch(
      spec: KernelSpec(
        source: "pairwise/pairwise.cl", entry: "pairwise", defines: defines.merging(binding.defines) { $1 }),
      arguments: rows.arguments
        + [
          .tensor(columns.tensor), .int(rows.heads), .int(rows.channels), .float(scale), .int(0),
          .int(rowCount), .tensor(chunks.tensor),
        ] + binding.arguments,
      groups: [
        ceilingDivide(rowCount, registerRows * shape.groupRows * tiles), chunks.segments.count, rows.heads,
      ],
      groupSize: shape.group)
  }
}

extension DenseLayer {
  func launch(_ shape: TileShape) -> KernelLaunch {
    // Row tiles run fastest over one panel of weights, which stays in cache.
    pairwiseLaunch(
      shape, rows: HeadSlices(input, channels: weights.inputs), columns: weights.panels, rowExtent: .whole(rows),
      columnExtent: .whole(weights.outputs), scale: 1, panelsPerItem: 1, binding: binding)
  }
}

func pairwiseLaunch(
  _ shape: TileShape, rows: HeadSlices, columns: Panels, rowExtent: Extent, columnExtent: Extent, scale: Float,
  panelsPerItem: Int, binding: EpilogueBinding
) -> KernelLaunch {
  var defines = shape.defines.merging(binding.defines) { $1 }
  var extents: [KernelLaunch.Argument] = [.int(rowExtent.rowCount), .int(columnExtent.rowCount)]
  if let rowTable = rowExtent.table, let columnTable = columnExtent.table {
    defines["PW_RAGGED"] = 1
    extents = [.tensor(rowTable.tensor), .tensor(columnTable.tensor)]
  }
  return KernelLaunch(
    spec: KernelSpec(source: "pairwise/pairwise.cl", entry: "pairwise", defines: defines),
    arguments: rows.arguments
      + [.tensor(columns.tensor), .int(rows.heads), .int(columns.channels), .float(scale), .int(panelsPerItem)]
      + extents + binding.arguments,
    groups: [
      ceilingDivide(rowExtent.longest, shape.rows),
      ceilingDivide(ceilingDivide(columnExtent.longest, columns.width), panelsPerItem),
      rowExtent.matrices * rows.heads,
    ],
    groupSize: shape.group)
}

extension MergeAverages {
  func launch(_ shape: TileShape) -> KernelLaunch {
    KernelLaunch(
      spec: KernelSpec(source: "pairwise/merge_averages.cl", entry: "merge_averages", defines: shape.defines),
      arguments: [
        .tensor(samples.tensor), .int(samples.tensor.width), .int(samples.offset), .tensor(partials),
        .int(mixture.chunkCount), .tensor(mixture.variances),
      ] + levels.arguments + [.tensor(out), .int(mixture.channels)],
      groups: [1, rows, 1], groupSize: shape.rowGroup)
  }
}

extension PackColumns {
  func launch(_ shape: TileShape) -> KernelLaunch {
    var defines = shape.defines
    var arguments =
      source.arguments + [.int(source.heads), .int(source.channels), .tensor(panels.tensor)]
    if let table = extent.table {
      defines["PW_RAGGED"] = 1
      arguments.append(.tensor(table.tensor))
    } else {
      arguments.append(.int(extent.rowCount))
    }
    if let rotary {
      defines["PW_ROTATE"] = 1
      arguments.append(.tensor(rotary.tensor))
    }
    return KernelLaunch(
      spec: KernelSpec(source: "pairwise/pack.cl", entry: "pack", defines: defines),
      arguments: arguments,
      groups: [ceilingDivide(extent.longest, panels.width), source.heads, extent.matrices],
      groupSize: shape.packGroup)
  }
}
