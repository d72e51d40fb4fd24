import Diffusion
import Engine
import Networks
import Testing

/// Each rule of averages over a mixture and of their merge, broken once.
@Suite struct OperationValidationMixtureTests {
  /// 5 components of 3 channels in chunks of 3 and 2, 6 samples.
  private static func mixture(
    means: Tensor = shaped(.float32, 5, 3), columns: Panels = shapedPanels(2, channels: 3),
    terms: Panels = shapedPanels(2, channels: 2), variances: Tensor = shaped(.float32, 2)
  ) -> Mixture {
    Mixture(
      means: means, columns: columns, terms: terms, chunks: shapedTable([3, 2]), variances: variances)
  }

  private static var valid: PosteriorMean {
    PosteriorMean(
      HeadSlices(shaped(.float32, 6, 3), channels: 3), rows: 6, mixture: mixture(),
      levels: CoefficientRows(shaped(.float32, 7, 32), first: 1, perSample: true),
      partials: shaped(.float32, 6, 2, 48), into: shaped(.float32, 6, 3))
  }

  typealias Rule = BrokenRule<PosteriorMean>

  /// What both operations check.
  static let commonRules: [Rule] = [
    .init("samples are floats", says: "float32") {
      $0.samples = HeadSlices(shaped(.int32, 6, 3), channels: 3)
    },
    .init("samples have all rows", says: "7 rows") { $0.rows = 7 },
    .init("samples have the mixture's channels", says: "of 2 channels") {
      $0.samples = HeadSlices($0.samples.tensor, channels: 2)
    },
    .init("means are floats", says: "means must be") { $0.mixture = mixture(means: shaped(.int32, 5, 3)) },
    .init("means are complete", says: "means needs 15") { $0.mixture = mixture(means: shaped(.float32, 4, 3)) },
    .init("means are as wide as their columns", says: "means have 4") {
      $0.mixture = mixture(means: shaped(.float32, 5, 4))
    },
    .init("columns are complete", says: "2 panels") { $0.mixture = mixture(columns: shapedPanels(1, channels: 3)) },
    .init("terms are complete", says: "2 panels") { $0.mixture = mixture(terms: shapedPanels(1, channels: 2)) },
    .init("terms are two", says: "one head") { $0.mixture = mixture(terms: shapedPanels(2, channels: 3)) },
    .init("variances are complete", says: "variances needs 2") { $0.mixture = mixture(variances: shaped(.float32, 1)) },
    .init("variances are floats", says: "variances must be") { $0.mixture = mixture(variances: shaped(.int32, 2)) },
    .init("chunks are not too many", says: "1025 chunks") {
      let lengths = [Int](repeating: 1, count: 1025)
      $0.mixture = Mixture(
        means: shaped(.float32, 1025, 3), columns: shapedPanels(1025, channels: 3),
        terms: shapedPanels(1025, channels: 2), chunks: shapedTable(lengths), variances: shaped(.float32, 1025))
    },
    .init("levels have 32 columns", says: "32 columns, not 31") { $0.levels.table = shaped(.float32, 7, 31) },
    .init("levels are floats", says: "coefficients must be") { $0.levels.table = shaped(.int32, 7, 32) },
    .init("the level's row is not negative", says: "negative") { $0.levels.first = -1 },
    .init("the level's stride is not negative", says: "negative") { $0.levels.stride = -1 },
    .init("levels lie within the table", says: "from row 2 every 1") { $0.levels.first = 2 },
    .init("levels can be counted", says: "do not fit a table") { $0.levels.stride = .max },
    .init("scratch has room", says: "averages needs 576") { $0.partials = shaped(.float32, 6, 2, 47) },
    .init("scratch is floats", says: "averages must be") { $0.partials = shaped(.int32, 6, 2, 48) },
  ]

  private static let averageRules: [Rule] = [
    .init("scratch is not the samples", says: "its own input") {
      $0.partials = Tensor(storage: $0.samples.tensor.storage, elementType: .float32, shape: [6, 2, 48])
    },
    .init("scratch is not the means", says: "its own input") {
      $0.partials = Tensor(storage: $0.mixture.means.storage, elementType: .float32, shape: [6, 2, 48])
    },
  ]

  @Test(arguments: commonRules + averageRules) func average(_ rule: Rule) {
    expectRefusal(of: rule, in: Self.valid) { $0.operations[0] }
  }

  private static let mergeRules: [Rule] = [
    .init("result has room", says: "result needs 18") { $0.out = shaped(.float32, 5, 3) },
    .init("result is floats", says: "result must be") { $0.out = shaped(.int32, 6, 3) },
    .init("result is not the samples", says: "its own input") { $0.out = $0.samples.tensor },
    .init("result is not the scratch", says: "its own input") { $0.out = $0.partials },
    .init("result is not the levels", says: "its own input") { $0.out = $0.levels.table },
    .init("result is not the columns", says: "its own input") { $0.out = $0.mixture.columns.tensor },
  ]

  @Test(arguments: commonRules + mergeRules) func merge(_ rule: Rule) {
    expectRefusal(of: rule, in: Self.valid) { $0.operations[1] }
  }

  typealias ProductRule = BrokenRule<PairwiseProduct>

  static let productRules: [ProductRule] = [
    .init("scale is 1", says: "scale") { $0.scale = 2 },
    .init("rows are one segment", says: "cannot be ragged") {
      $0.rowExtent = .ragged(shapedTable([4, 2]))
    },
    .init("columns are chunks", says: "not the mixture's") { $0.columnExtent = .whole(5) },
    .init("columns are the mixture's chunks", says: "not the mixture's") {
      $0.columnExtent = .ragged(shapedTable([2, 3]))
    },
    .init("columns are the mixture's", says: "not the mixture's") { $0.columns = shapedPanels(2, channels: 3) },
  ]

  @Test(arguments: productRules) func product(_ rule: ProductRule) throws {
    let product = try #require(Self.valid.operations[0] as? PairwiseProduct)
    expectRefusal(of: rule, in: product) { $0 }
  }
}
