import Engine
import Geometry
import Testing

/// Each rule of the best columns and of their merge, broken once.
@Suite struct OperationValidationTopKTests {
  /// 6 rows of 3 channels, 7 columns in chunks of 4 and 3, 2 a row.
  private static var valid: TopK {
    TopK(
      HeadSlices(shaped(.float32, 6, 3), channels: 3), rowCount: 6,
      among: RankedColumns(count: 7, panels: shapedPanels(2, channels: 3), terms: shapedPanels(2, channels: 1)),
      chunks: shapedTable([4, 3]), excluded: shaped(.int32, 6), k: 2, lists: shaped(.int32, 6, 2, 16, 2),
      values: shaped(.float32, 6, 2), indices: shaped(.int32, 6, 2))
  }

  typealias Rule = BrokenRule<TopK>

  /// What both operations check.
  static let commonRules: [Rule] = [
    .init("k is positive", says: "k is 0") { $0.k = 0 },
    .init("k has a limit where chunks are merged", says: "at most 65535") {
      $0.k = 65_536
      $0.lists = shaped(.int32, 6, 2, 2 * 65_536, 2)
    },
    .init("there are rows", says: "0 rows") { $0.rowCount = 0 },
    .init("scratch has room", says: "scratch of best columns needs 384") { $0.lists = shaped(.int32, 383) },
    .init("scratch is integers", says: "scratch of best columns must be int32") {
      $0.lists = shaped(.float32, 6, 2, 16, 2)
    },
    .init("chunks are not too many", says: "65 chunks") {
      $0.chunks = shapedTable([Int](repeating: 1, count: 65))
      $0.columns = RankedColumns(count: 65, panels: shapedPanels(65, channels: 3), terms: shapedPanels(65, channels: 1))
      $0.lists = shaped(.int32, 6, 65, 16, 2)
    },
  ]

  private static let selectionRules: [Rule] = [
    .init("rows have all rows", says: "7 rows") { $0.rowCount = 7 },
    .init("rows have one head", says: "of one head") {
      $0.rows = HeadSlices(shaped(.float32, 6, 6), headStride: 3, heads: 2, channels: 3)
      $0.columns = RankedColumns(
        count: 7, panels: shapedPanels(2, heads: 2, channels: 3), terms: shapedPanels(2, channels: 1))
    },
    .init("terms have one channel", says: "1 channel") {
      $0.columns = RankedColumns(count: 7, panels: $0.columns.panels, terms: shapedPanels(2, channels: 2))
    },
    .init("terms are as wide as the columns", says: "panels of 4") {
      $0.columns = RankedColumns(count: 7, panels: $0.columns.panels, terms: shapedPanels(2, channels: 1, width: 5))
    },
    .init("terms are complete", says: "2 panels") {
      $0.columns = RankedColumns(count: 7, panels: $0.columns.panels, terms: shapedPanels(1, channels: 1))
    },
    .init("columns are complete", says: "2 panels") {
      $0.columns = RankedColumns(count: 7, panels: shapedPanels(1, channels: 3), terms: $0.columns.terms)
    },
    .init("each row has an excluded column", says: "excluded columns needs 6") { $0.excluded = shaped(.int32, 5) },
    .init("excluded columns are integers", says: "excluded columns must be int32") {
      $0.excluded = shaped(.float32, 6)
    },
    .init("scratch is not the excluded columns", says: "its own input") {
      $0.excluded = Tensor(storage: $0.lists.storage, elementType: .int32, shape: [384])
    },
  ]

  @Test(arguments: commonRules + selectionRules) func selection(_ rule: Rule) {
    expectRefusal(of: rule, in: Self.valid) { $0.operations[0] }
  }

  private static let mergeRules: [Rule] = [
    .init("values have room", says: "values needs 12") { $0.values = shaped(.float32, 5, 2) },
    .init("values are floats", says: "values must be float32") { $0.values = shaped(.int32, 6, 2) },
    .init("indices have room", says: "indices needs 12") { $0.indices = shaped(.int32, 5, 2) },
    .init("indices are integers", says: "indices must be int32") { $0.indices = shaped(.float32, 6, 2) },
    .init("indices are not the scratch", says: "its own input") { $0.indices = $0.lists },
    .init("values are not the indices", says: "its own input") {
      $0.values = Tensor(storage: $0.indices.storage, elementType: .float32, shape: [6, 2])
    },
  ]

  @Test(arguments: commonRules + mergeRules) func merge(_ rule: Rule) {
    expectRefusal(of: rule, in: Self.valid) { $0.operations[1] }
  }

  /// 6 vectors of 3 channels that are compared with each other.
  private static var validMutual: SymmetricTopK {
    SymmetricTopK(
      HeadSlices(shaped(.float32, 6, 3), channels: 3),
      columns: RankedColumns(count: 6, panels: shapedPanels(2, channels: 3), terms: shapedPanels(2, channels: 1)),
      excluded: shaped(.int32, 6), k: 2, lists: shaped(.int32, 6, 16, 2), counts: shaped(.int32, 6),
      worsts: shaped(.float32, 6), values: shaped(.float32, 6, 2), indices: shaped(.int32, 6, 2))
  }

  typealias MutualRule = BrokenRule<SymmetricTopK>

  static let mutualRules: [MutualRule] = [
    .init("k is positive", says: "k is 0") { $0.k = 0 },
    .init("scratch has room", says: "scratch of best columns needs 192") { $0.lists = shaped(.int32, 191) },
    .init("each list has a count", says: "lists' counts needs 6") { $0.counts = shaped(.int32, 5) },
    .init("each list has a worst value", says: "lists' worst values needs 6") { $0.worsts = shaped(.float32, 5) },
    .init("rows have all rows", says: "7 rows") {
      $0.columns = RankedColumns(count: 7, panels: $0.columns.panels, terms: $0.columns.terms)
    },
    .init("terms are complete", says: "2 panels") {
      $0.columns = RankedColumns(count: 6, panels: $0.columns.panels, terms: shapedPanels(1, channels: 1))
    },
  ]

  @Test(arguments: mutualRules) func mutual(_ rule: MutualRule) {
    expectRefusal(of: rule, in: Self.validMutual) { $0.operations(SymmetricPart(0, of: 2))[0] }
  }

  @Test(arguments: [(-1, 2), (2, 2), (0, 0)]) func partsExist(index: Int, count: Int) throws {
    var product = try #require(Self.validMutual.operations(SymmetricPart(0, of: 1))[0] as? PairwiseProduct)
    var selection = try #require(product.epilogue as? SymmetricSelection)
    selection.part = SymmetricPart(index, of: count)
    product.epilogue = selection
    let wrong = product
    #expect(throws: EngineError.self) { try wrong.validate() }
  }

  static let mutualProductRules: [ProductRule] = [
    .init("nothing is ragged", says: "must be whole") {
      $0.rowExtent = .ragged(shapedTable([4, 2]))
      $0.columnExtent = $0.rowExtent
    },
    .init("as many rows as columns", says: "as many rows") { $0.columnExtent = .whole(5) },
  ]

  @Test(arguments: mutualProductRules) func mutualProduct(_ rule: ProductRule) throws {
    let product = try #require(Self.validMutual.operations(SymmetricPart(0, of: 1))[0] as? PairwiseProduct)
    expectRefusal(of: rule, in: product) { $0 }
  }

  typealias ProductRule = BrokenRule<PairwiseProduct>

  static let productRules: [ProductRule] = [
    .init("rows are one segment", says: "cannot be ragged") { $0.rowExtent = .ragged(shapedTable([4, 2])) },
    .init("columns are chunks", says: "cut into chunks") { $0.columnExtent = .whole(7) },
  ]

  @Test(arguments: productRules) func product(_ rule: ProductRule) throws {
    let product = try #require(Self.valid.operations[0] as? PairwiseProduct)
    expectRefusal(of: rule, in: product) { $0 }
  }
}
