internal import Engine
internal import OpenCL

/// Which tiles a device gets, and their sizes. The macros are documented in `Kernels/pairwise/shape.clh`.
package struct TileShape: Sendable, Hashable {
  /// The two families of kernels.
  package enum Variant: String, Sendable, Hashable, CaseIterable {
    /// Register tiles, one work-item a group.
    case cpu
    /// Tiles staged in local memory by groups of work-items.
    case gpu
  }

  package let variant: Variant
  /// Work-items a group down the rows; those along the columns are fixed, so that panels are.
  let groupRows: Int

  /// The largest group of the variant that the device allows.
  package init(_ variant: Variant, maxWorkGroupSize: Int) {
    self.variant = variant
    switch variant {
    case .cpu: groupRows = 1
    case .gpu:
      var rows = 16
      while rows > 1 && rows * Self.gpuGroupColumns > maxWorkGroupSize { rows /= 2 }
      groupRows = rows
    }
  }

  private static let gpuGroupColumns = 16
  private static let registerRows = 8

  /// Rows of a tile.
  var rows: Int { Self.registerRows * groupRows }
  /// Columns of a tile, and so of a panel: 3 vectors of 16 lanes, or 16 work-items of 4.
  var panelWidth: Int { variant == .cpu ? 48 : 64 }
  /// Row tiles a group takes to each panel of a chunk: columns that lie beyond the cache are read less often.
  var chunkTiles: Int { variant == .cpu ? 8 : 1 }
  /// Rows a work-item holds when `count` rows meet all chunks: a single one needs none beside it, and has the same bits.
  /// The best columns leave room in the cache for more rows than averages do.
  func chunkRows(_ count: Int, for epilogue: PairwiseEpilogue) -> Int {
    guard variant == .cpu else { return Self.registerRows }
    guard count > 1 else { return 1 }
    return if case .topK = epilogue { 32 } else { Self.registerRows }
  }
  /// Rows a work-item holds of an image's windows: on a CPU device several blocks, which take to a part of a panel in turn.
  var windowRows: Int { variant == .cpu ? 32 : Self.registerRows }
  /// Row tiles of a block, when the blocks of a set meet in rounds, and the rows a work-item holds: a block ends where a
  /// panel does. nil: this variant computes both halves of a symmetric matrix, which keeps more groups busy.
  var roundTiles: (tiles: Int, rows: Int)? { variant == .cpu ? (6, 32) : nil }
  /// Work-items of a tile.
  var group: Int { variant == .cpu ? 1 : groupRows * Self.gpuGroupColumns }
  /// Work-items that share a row in kernels which treat rows one by one.
  var rowGroup: Int { variant == .cpu ? 1 : 64 }
  /// Work-items that fill a panel.
  var packGroup: Int { variant == .cpu ? 1 : 64 }
  /// Queries of a work-group of attention, and its work-items.
  var attentionQueries: Int { variant == .cpu ? Self.registerRows : 64 }
  var attentionGroup: Int { variant == .cpu ? 1 : 64 }
  /// Pairs of a work-group that looks for links.
  var linkGroup: Int { variant == .cpu ? 1 : 64 }
  /// Rows of a work-group that merges lists of best columns.
  var mergeGroup: Int { variant == .cpu ? 1 : 64 }

  /// What every kernel of this shape is compiled with.
  var defines: [String: Int] {
    switch variant {
    case .cpu: ["WEFT_VARIANT_GPU": 0]
    case .gpu: ["WEFT_VARIANT_GPU": 1, "PW_GROUP_ROWS": groupRows]
    }
  }
}
