import Engine
import Testing

/// Each rule of the operations of training, broken once.
@Suite struct OperationValidationTrainingTests {
  typealias PackRule = BrokenRule<PackTransposed>

  /// 6 rows of 5 columns, as a slice of rows of 8.
  private static func matrix(
    _ type: ElementType = .float32, rows: Int = 6, offset: Int = 2, heads: Int = 1, columns: Int = 5
  ) -> HeadSlices {
    HeadSlices(shaped(type, rows, 8), offset: offset, headStride: 0, heads: heads, channels: columns)
  }

  static let packRules: [PackRule] = [
    .init("source is floats", says: "float32") { $0.source = matrix(.int32) },
    .init("there are rows", says: "0 rows") { $0.rows = 0 },
    .init("rows lie within the source", says: "7 rows") { $0.rows = 7 },
    .init("columns lie within the source", says: "do not fit rows of 8") { $0.source = matrix(offset: 4) },
    .init("a matrix has one head", says: "one head, not 2") { $0.source = matrix(heads: 2) },
    .init("channels are the rows", says: "heads of 5 channels") { $0.panels = shapedPanels(2, channels: 5) },
    .init("panels have one head", says: "have 2 heads") { $0.panels = shapedPanels(2, heads: 2, channels: 6) },
    .init("panels have room", says: "2 panels are needed") { $0.panels = shapedPanels(1, channels: 6) },
  ]

  @Test(arguments: packRules) func packTransposed(_ rule: PackRule) {
    let valid = PackTransposed(Self.matrix(), rows: 6, into: shapedPanels(2, channels: 6))
    expectRefusal(of: rule, in: valid) { $0 }
  }

  typealias WeightRule = BrokenRule<WeightGradient>

  static let weightRules: [WeightRule] = [
    .init("gradient is floats", says: "float32") { $0.gradient = matrix(.int32) },
    .init("there are rows", says: "0 rows") { $0.rows = 0 },
    .init("rows lie within the gradient", says: "7 rows") { $0.rows = 7 },
    .init("outputs lie within the gradient", says: "do not fit rows of 8") { $0.gradient = matrix(offset: 4) },
    .init("the gradient has one head", says: "one head, not 2") { $0.gradient = matrix(heads: 2) },
    .init("there are inputs", says: "0 inputs") { $0.inputs = 0 },
    .init("the input has as many rows", says: "heads of 5 channels") { $0.input = shapedPanels(2, channels: 5) },
    .init("the input has one head", says: "has 2 heads") { $0.input = shapedPanels(2, heads: 2, channels: 6) },
    .init("the input is complete", says: "2 panels are needed") { $0.input = shapedPanels(1, channels: 6) },
    .init("the result is as wide as the input", says: "has 6 channels") { $0.out = shaped(.float32, 5, 6) },
    .init("the result has room", says: "result needs 35") { $0.out = shaped(.float32, 4, 7) },
    .init("the result is floats", says: "result must be") { $0.out = shaped(.int32, 5, 7) },
    .init("the result is not the gradient", says: "its own input") {
      $0.gradient = HeadSlices(shaped(.float32, 6, 7), channels: 5)
      $0.out = $0.gradient.tensor
    },
    .init("the result is not the input", says: "its own input") {
      $0.out = Tensor(storage: $0.input.tensor.storage, elementType: .float32, shape: [5, 7])
    },
  ]

  @Test(arguments: weightRules) func weightGradient(_ rule: WeightRule) {
    let valid = WeightGradient(
      of: Self.matrix(), input: shapedPanels(2, channels: 6), inputs: 7, rows: 6, into: shaped(.float32, 5, 7))
    expectRefusal(of: rule, in: valid) { $0 }
  }

  typealias SumRule = BrokenRule<ColumnSum>

  static let sumRules: [SumRule] = [
    .init("source is floats", says: "float32") { $0.source = matrix(.int32) },
    .init("there are rows", says: "0 rows") { $0.rows = 0 },
    .init("rows lie within the source", says: "7 rows") { $0.rows = 7 },
    .init("columns lie within the source", says: "do not fit rows of 8") { $0.source = matrix(offset: 4) },
    .init("a matrix has one head", says: "one head, not 2") { $0.source = matrix(heads: 2) },
    .init("the result has room", says: "result needs 5") { $0.out = shaped(.float32, 4) },
    .init("the result is floats", says: "result must be") { $0.out = shaped(.int32, 5) },
    .init("the result is not the source", says: "its own input") { $0.out = $0.source.tensor },
  ]

  @Test(arguments: sumRules) func columnSum(_ rule: SumRule) {
    let valid = ColumnSum(of: Self.matrix(), rows: 6, into: shaped(.float32, 5))
    expectRefusal(of: rule, in: valid) { $0 }
  }
}
