import Engine
import Testing
import TokenPairs

/// Each rule of a pairwise product and of what consumes its scores, broken once.
@Suite struct OperationValidationPairwiseTests {
  typealias Rule = BrokenRule<PairwiseProduct>

  /// 6 rows against 5 columns, two heads of 3 channels.
  private static var valid: PairwiseProduct {
    PairwiseProduct(
      rows: HeadSlices(shaped(.float32, 6, 8), offset: 1, headStride: 4, heads: 2, channels: 3),
      columns: shapedPanels(2, heads: 2, channels: 3), rowExtent: .whole(6),
      columnExtent: .whole(5), epilogue: StoredScores(into: shaped(.float32, 2, 6, 5)))
  }

  private static func slices(
    _ type: ElementType = .float32, offset: Int = 1, stride: Int = 4, heads: Int = 2,
    channels: Int = 3
  ) -> HeadSlices {
    HeadSlices(
      shaped(type, 6, 8), offset: offset, headStride: stride, heads: heads, channels: channels)
  }

  static let productRules: [Rule] = [
    Rule("rows are floats", says: "float32") { $0.rows = slices(.int32) },
    Rule("offset is not negative", says: "do not fit") { $0.rows = slices(offset: -1) },
    Rule("stride is not negative", says: "do not fit") { $0.rows = slices(stride: -4) },
    Rule("there are heads", says: "do not fit") { $0.rows = slices(heads: 0) },
    Rule("there are channels", says: "do not fit") { $0.rows = slices(channels: 0) },
    Rule("heads lie within the row", says: "do not fit") { $0.rows = slices(offset: 2) },
    Rule("there are rows", says: "0 rows") { $0.rowExtent = .whole(0) },
    Rule("rows lie within the tensor", says: "7 rows") { $0.rowExtent = .whole(7) },
    Rule("heads agree", says: "rows have 1 heads") { $0.rows = slices(heads: 1) },
    Rule("channels agree", says: "of 2 channels") { $0.rows = slices(channels: 2) },
    Rule("both sides are ragged, or neither", says: "or neither") {
      $0.rowExtent = .ragged(shapedTable([4, 2]))
    },
    Rule("segments agree in number", says: "2 segments, columns 1") {
      $0.rowExtent = .ragged(shapedTable([4, 2]))
      $0.columnExtent = .ragged(shapedTable([5]))
    },
    Rule("columns have their panels", says: "3 panels") { $0.columnExtent = .whole(9) },
    Rule("panels are floats", says: "panels") {
      $0.columns = Panels(
        tensor: shaped(.int32, 2, 2, 3, 4), heads: 2, channels: 3, width: 4)
    },
    Rule("row table counts the same panels", says: "counts panels of 8") {
      $0.rowExtent = .ragged(shapedTable([6], panelWidth: 8))
      $0.columnExtent = .ragged(shapedTable([5]))
    },
    Rule("column table counts the same panels", says: "counts panels of 8") {
      $0.rowExtent = .ragged(shapedTable([6]))
      $0.columnExtent = .ragged(shapedTable([5], panelWidth: 8))
    },
    Rule("table has all entries", says: "segment table needs") {
      $0.rowExtent = .ragged(shapedTable([4, 2], entries: 1))
      $0.columnExtent = .ragged(shapedTable([4, 1]))
      $0.columns = shapedPanels(2, heads: 2, channels: 3)
    },
    Rule("scale is finite", says: "scale") { $0.scale = .infinity },
    Rule("scores have three dimensions", says: "[matrices, rows, columns]") {
      $0.epilogue = StoredScores(into: shaped(.float32, 12, 5))
    },
    Rule("scores are floats", says: "[matrices, rows, columns]") {
      $0.epilogue = StoredScores(into: shaped(.int32, 2, 6, 5))
    },
    Rule("there is room for all matrices", says: "too small") {
      $0.epilogue = StoredScores(into: shaped(.float32, 1, 6, 5))
    },
    Rule("there is room for all rows", says: "too small") {
      $0.epilogue = StoredScores(into: shaped(.float32, 2, 5, 6))
    },
    Rule("there is room for all columns", says: "too small") {
      $0.epilogue = StoredScores(into: shaped(.float32, 2, 6, 4))
    },
    Rule("who takes chunks is stateful", says: "must be stateful") { $0.epilogue = ForgetfulEpilogue() },
  ]

  @Test func scoresAreNotTheirOwnRows() {
    var product = Self.valid
    let rows = product.rows.tensor
    product.epilogue = StoredScores(
      into: Tensor(storage: rows.storage, elementType: .float32, shape: [2, 6, 5]))
    let wrong = product
    #expect(throws: EngineError.self) { try wrong.validate() }
  }

  @Test(arguments: productRules) func product(_ rule: Rule) {
    expectRefusal(of: rule, in: Self.valid) { $0 }
  }

  typealias SelectionRule = BrokenRule<CellSelection>

  private static var selection: CellSelection {
    CellSelection(
      thresholds: shaped(.float32, 2), triangular: false, margin: 0, cells: shaped(.int32, 9, 4),
      found: shaped(.int32, 3))
  }

  static let selectionRules: [SelectionRule] = [
    SelectionRule("thresholds are floats", says: "thresholds must be float32") { $0.thresholds = shaped(.int32, 2) },
    SelectionRule("margin is not negative", says: "margin") { $0.margin = -1 },
    SelectionRule("cells are integers", says: "list of cells") { $0.cells = shaped(.float32, 9, 4) },
    SelectionRule("cells have four words", says: "list of cells") { $0.cells = shaped(.int32, 12, 3) },
    SelectionRule("count is an integer", says: "counts must be int32") { $0.found = shaped(.float32, 3) },
    SelectionRule("every segment has a count", says: "counts needs 2 elements") { $0.found = shaped(.int32, 1) },
  ]

  @Test(arguments: selectionRules) func select(_ rule: SelectionRule) {
    expectRefusal(of: rule, in: Self.selection) { selection in
      var product = Self.valid
      product.epilogue = selection
      return product
    }
  }

  /// Three tokens against themselves, two types.
  private static var typed: PairwiseProduct {
    PairwiseProduct(
      rows: HeadSlices(shaped(.float32, 6, 3), channels: 3), columns: shapedPanels(4, channels: 3),
      rowExtent: .ragged(shapedTable([5, 1])), columnExtent: .ragged(shapedTable([5, 1])),
      epilogue: selection.typed(by: shapedBiases(shapedPanels(3, channels: 4), types: 2, scale: 0.5)))
  }

  private static func with(
    _ panels: Panels = shapedPanels(3, channels: 4), types: Int = 2, scale: Float = 0.5
  ) -> any PairwiseEpilogue {
    selection.typed(by: shapedBiases(panels, types: types, scale: scale))
  }

  static let typedRules: [Rule] = [
    Rule("thresholds are floats, typed", says: "thresholds must be float32") {
      var selection = selection
      selection.thresholds = shaped(.int32, 2)
      $0.epilogue = selection.typed(by: shapedBiases(shapedPanels(3, channels: 4), types: 2, scale: 0.5))
    },
    Rule("there are types", says: "types and bias scale") { $0.epilogue = with(types: 0) },
    Rule("bias scale is not negative", says: "types and bias scale") {
      $0.epilogue = with(scale: -1)
    },
    Rule("bias scale is finite", says: "types and bias scale") {
      $0.epilogue = with(scale: .infinity)
    },
    Rule("biases are one head", says: "one head of 4 channels") {
      $0.epilogue = with(shapedPanels(3, heads: 2, channels: 4))
    },
    Rule("biases have two channels a type", says: "one head of 6 channels") {
      $0.epilogue = with(types: 3)
    },
    Rule("bias panels are as wide as the columns'", says: "in panels of 4") {
      $0.epilogue = with(shapedPanels(3, channels: 4, width: 8))
    },
    Rule("there is a panel of biases for each of the columns'", says: "3 panels") {
      $0.epilogue = with(shapedPanels(2, channels: 4))
    },
    Rule("there is a peak for each 8 biases", says: "the greatest biases") {
      let panels = shapedPanels(3, channels: 4)
      $0.epilogue = selection.typed(
        by: TypeBiases(panels: panels, peaks: shaped(.float32, panels.tensor.count / 8 - 1), types: 2, scale: 0.5))
    },
    Rule("types share one head", says: "one head") {
      $0.rows = HeadSlices(shaped(.float32, 6, 6), headStride: 3, heads: 2, channels: 3)
      $0.columns = shapedPanels(4, heads: 2, channels: 3)
    },
    // As long in sum and at most, and yet the rows have more panels of biases than the columns.
    Rule("rows and columns are the same tokens", says: "same tokens") {
      $0.rows = HeadSlices(shaped(.float32, 15, 3), channels: 3)
      $0.columns = shapedPanels(9, channels: 3)
      $0.rowExtent = .ragged(shapedTable([6, 5, 4]))
      $0.columnExtent = .ragged(shapedTable([6, 6, 3]))
      var selection = selection
      selection.thresholds = shaped(.float32, 3)
      selection.found = shaped(.int32, 4)
      $0.epilogue = selection.typed(by: shapedBiases(shapedPanels(9, channels: 4), types: 2, scale: 0.5))
    },
  ]

  @Test(arguments: typedRules) func selectTyped(_ rule: Rule) {
    expectRefusal(of: rule, in: Self.typed) { $0 }
  }

  @Test(arguments: [false, true]) func moreCellsThanCanBeCounted(typed: Bool) {
    let side = 70_000
    let selection = Self.selection
    let biases = shapedBiases(shapedPanels(side, channels: 2), types: 1, scale: 1)
    var submission = Submission()
    let error = #expect(throws: EngineError.self) {
      try submission.append(
        PairwiseProduct(
          rows: HeadSlices(shaped(.float32, side, 1), channels: 1),
          columns: shapedPanels(side, channels: 1), rowExtent: .whole(side),
          columnExtent: .whole(side),
          epilogue: typed ? selection.typed(by: biases) : selection))
    }
    #expect(error?.message.contains("32 bits") == true)
  }
}

private func shapedBiases(_ panels: Panels, types: Int, scale: Float) -> TypeBiases {
  TypeBiases(
    panels: panels, peaks: shaped(.float32, panels.tensor.count / PackColumns.run), types: types, scale: scale)
}

extension CellSelection {
  /// The same selection for types that share the product.
  fileprivate func typed(by biases: TypeBiases) -> CellSelection {
    var selection = self
    selection.biases = biases
    return selection
  }
}

/// Takes chunks of columns and keeps nothing of them.
private struct ForgetfulEpilogue: PairwiseEpilogue {
  let takesChunks = true
  var header: KernelSource { "pairwise/epilogue_store.clh" }
  func validate(for product: PairwiseProduct) {}
  func arguments(of product: PairwiseProduct) -> KernelArguments { [:] }
  func reference(of product: PairwiseProduct, _ memory: HostMemory) {}
}
