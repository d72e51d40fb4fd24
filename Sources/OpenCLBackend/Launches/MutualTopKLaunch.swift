internal import Engine

extension PairwiseProduct {
  /// Where symmetric products are used twice: a launch for each round of this part, between what prepares the lists and
  /// what puts them in order. Elsewhere all of it belongs to the first part.
  func mutualLaunches(_ shape: TileShape, _ mutual: MutualSelection) -> [KernelLaunch] {
    guard let block = shape.roundTiles else { return mutual.part.isFirst ? [wholeLaunch(shape)] : [] }
    let size = block.tiles * block.rows
    let count = rowExtent.rowCount
    let blocks = ceilingDivide(count, size)
    let rounds = mutual.part.range(of: blocks).map { round in
      let defines = ["PW_ROUNDS": 1, "PW_EPILOGUE": 8, "PW_TILES": block.tiles, "PW_ROWS": block.rows]
      return KernelLaunch(
        spec: KernelSpec(
          source: "pairwise/pairwise.cl", entry: "pairwise", defines: defines.merging(shape.defines) { $1 }),
        arguments: rows.arguments
          + [
            .tensor(columns.tensor), .int(1), .int(rows.channels), .float(scale), .int(size / columns.width),
            .int(count), .int(round),
          ] + epilogue.binding(for: self).arguments,
        // Blocks whose numbers add up to the round's, then to that and all blocks.
        groups: [1, 1, round / 2 + 1 + (round + blocks) / 2 - round], groupSize: shape.group)
    }
    return (mutual.part.isFirst ? [lists("clear_lists", mutual.selection, shape)] : []) + rounds
      + (mutual.part.isLast ? [lists("sort_lists", mutual.selection, shape)] : [])
  }

  private func lists(_ entry: String, _ selection: TopKSelection, _ shape: TileShape) -> KernelLaunch {
    KernelLaunch(
      spec: KernelSpec(source: "pairwise/mutual_lists.cl", entry: entry, defines: shape.defines),
      arguments: [.tensor(selection.lists), .int(selection.k)], groups: [rowExtent.rowCount, 1, 1], groupSize: 1)
  }
}
