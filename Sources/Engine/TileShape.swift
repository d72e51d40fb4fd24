/// Which tiles a device gets, and their sizes. The macros are documented in `Kernels/pairwise/shape.clh`.
public struct TileShape: Sendable, Hashable {
  /// The two families of kernels.
  public enum Variant: String, Sendable, Hashable, CaseIterable {
    /// Register tiles, one work-item a group.
    case cpu
    /// Tiles staged in local memory by groups of work-items.
    case gpu
  }

  /// The family of kernels.
  public let variant: Variant
  /// Work-items a group down the rows of a product's tile; those along the columns are fixed, so that panels are.
  public let groupRows: Int

  /// Groups that a device must allow for a variant's tiles, in work-items.
  package static func leastGroup(_ variant: Variant) -> Int { variant == .cpu ? 1 : 64 }

  /// The tiles of a variant, with the largest group that the device allows, ``leastGroup(_:)`` at least.
  public init(_ variant: Variant, maxWorkGroupSize: Int) {
    self.variant = variant
    switch variant {
    case .cpu: groupRows = 1
    case .gpu:
      var rows = 16
      while rows > 1 && rows * Self.gpuGroupColumns > maxWorkGroupSize { rows /= 2 }
      groupRows = rows
    }
  }

  private init(_ variant: Variant, groupRows: Int) {
    self.variant = variant
    self.groupRows = groupRows
  }

  /// The same tiles with half as many work-items a group, for a kernel that a device runs in smaller groups than others;
  /// nil if there are none. Results are the same, bit for bit.
  package var smaller: TileShape? {
    groupRows > 1 ? TileShape(variant, groupRows: groupRows / 2) : nil
  }

  private static let gpuGroupColumns = 8

  /// Rows of a product's tile that a work-item holds in registers.
  package static let registerRows = 8

  /// Rows of a product's tile.
  public var rows: Int { Self.registerRows * groupRows }
  /// Columns of a product's tile, and so of a panel: 3 vectors of 16 lanes, or 8 work-items of 8.
  public var panelWidth: Int { variant == .cpu ? 48 : 64 }
  /// Work-items of a product's tile.
  public var group: Int { variant == .cpu ? 1 : groupRows * Self.gpuGroupColumns }
  /// Work-items that share a row, or a run of elements, in all other kernels.
  public var rowGroup: Int { variant == .cpu ? 1 : 64 }

  /// What every kernel of this shape is compiled with.
  public var defines: [String: String] {
    switch variant {
    case .cpu: ["WEFT_VARIANT_GPU": "0"]
    case .gpu: ["WEFT_VARIANT_GPU": "1", "PW_GROUP_ROWS": "\(groupRows)"]
    }
  }
}
