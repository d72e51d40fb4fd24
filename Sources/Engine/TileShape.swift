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
  public private(set) var groupRows: Int
  /// The device's parallel units.
  package let computeUnits: Int
  /// How exactly products are computed that follow the engine's precision.
  package private(set) var precision = Precision.float32
  /// What computes them.
  package private(set) var units = ProductUnits.float32
  /// What the operation was tuned to; see ``DeviceOperation/tuning(_:)``.
  public private(set) var choice = TileChoice()

  /// Groups that a device must allow for a variant's tiles, in work-items.
  package static func leastGroup(_ variant: Variant) -> Int { variant == .cpu ? 1 : 64 }

  /// The tiles of a variant, with the largest group that the device allows, ``leastGroup(_:)`` at least.
  public init(_ variant: Variant, maxWorkGroupSize: Int, computeUnits: Int = 1) {
    self.variant = variant
    self.computeUnits = computeUnits
    switch variant {
    case .cpu: groupRows = 1
    case .gpu:
      var rows = 16
      while rows > 1 && rows * Self.gpuGroupColumns > maxWorkGroupSize { rows /= 2 }
      groupRows = rows
    }
  }

  /// The same tiles with half as many work-items a group, for a kernel that a device runs in smaller groups than others;
  /// nil if there are none. Results are the same, bit for bit.
  package var smaller: TileShape? {
    guard groupRows > 1 else { return nil }
    var shape = self
    shape.groupRows /= 2
    return shape
  }

  /// The same tiles for an operation that was tuned to a choice. Groups do not grow: the device may not take larger ones.
  package func choosing(_ choice: TileChoice) -> TileShape {
    var shape = self
    shape.choice = choice
    if variant == .gpu, let rows = choice[TileChoice.groupRows], (1...groupRows).contains(rows) {
      shape.groupRows = rows
    }
    return shape
  }

  /// The same tiles at another precision.
  package func multiplying(at precision: Precision, by units: ProductUnits) -> TileShape {
    var shape = self
    shape.precision = precision
    shape.units = units
    return shape
  }

  /// The same tiles in float32: for products that do not follow the engine's precision.
  package var exact: TileShape { multiplying(at: .float32, by: .float32) }

  /// Whether products are made of matrix fragments.
  package var usesFragments: Bool { precision != .float32 && (units == .nvidia || units == .emulated) }

  /// What kernels are compiled with that follow the engine's precision; see `Kernels/common/precision.clh`.
  package var precisionDefines: [String: String] {
    switch (precision, units) {
    case (.float32, _), (.bfloat16x3, .float32), (.bfloat16x3, .avx512): [:]
    case (.bfloat16, .float32): ["WEFT_PRECISION": "WEFT_BFLOAT16"]
    case (.bfloat16, .avx512): ["WEFT_PRECISION": "WEFT_BFLOAT16", "WEFT_UNITS": "WEFT_AVX512"]
    case (.bfloat16, .nvidia): ["WEFT_PRECISION": "WEFT_BFLOAT16", "WEFT_UNITS": "WEFT_NVIDIA"]
    case (.bfloat16, .emulated): ["WEFT_PRECISION": "WEFT_BFLOAT16", "WEFT_UNITS": "WEFT_EMULATED"]
    case (.bfloat16x3, .nvidia): ["WEFT_PRECISION": "WEFT_BFLOAT16X3", "WEFT_UNITS": "WEFT_NVIDIA"]
    case (.bfloat16x3, .emulated): ["WEFT_PRECISION": "WEFT_BFLOAT16X3", "WEFT_UNITS": "WEFT_EMULATED"]
    }
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

  /// Macros that stand for arguments of a kernel. A GPU's kernels are compiled with their values, which saves registers.
  /// A CPU device's kernels read the arguments, so that one program, whose compilation takes a third of a second, serves
  /// all values.
  package func constants(_ values: [String: String]) -> [String: String] { variant == .gpu ? values : [:] }

  /// What every kernel of this shape is compiled with.
  public var defines: [String: String] {
    switch variant {
    case .cpu: ["WEFT_VARIANT_GPU": "0"]
    case .gpu: ["WEFT_VARIANT_GPU": "1", "PW_GROUP_ROWS": "\(groupRows)"]
    }
  }
}
