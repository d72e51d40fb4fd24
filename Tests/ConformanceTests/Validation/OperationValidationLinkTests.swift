import Engine
import Testing
import TokenPairs

/// Each rule of the links of listed pairs, broken once.
@Suite struct OperationValidationLinkTests {
  typealias Rule = BrokenRule<PairLinks>

  private static func scores(
    channels: Int = 4, heads: Int = 1, predicates: Int? = 3, rows: Int = 6, biasRows: Int = 6, scale: Float = 0.5
  ) -> LinkScores {
    let slices = HeadSlices(shaped(.float32, rows, 16), headStride: channels, heads: heads, channels: channels)
    return LinkScores(
      rows: slices, columns: slices,
      biases: predicates.map { .init(shaped(.float32, biasRows, 6), predicates: $0, scale: scale) })
  }

  private static var valid: PairLinks {
    PairLinks(
      head: scores(), tail: scores(), pairs: shaped(.int32, 7, 4), pairCount: 7, scale: 1, threshold: 0,
      hits: shaped(.int32, 9, 4), found: shaped(.int32, 1))
  }

  static let rules: [Rule] = [
    Rule("there are pairs", says: "no pairs") { $0.pairCount = 0 },
    Rule("all pairs are listed", says: "list of pairs needs 32") { $0.pairCount = 8 },
    Rule("pairs are integers", says: "must be int32") { $0.pairs = shaped(.float32, 7, 4) },
    Rule("pairs can be counted", says: "cannot be counted") { $0.pairCount = 1 << 30 },
    Rule("channels agree", says: "channels") { $0.tail = scores(channels: 2) },
    Rule("both sides have biases", says: "biases of another kind") { $0.tail = scores(predicates: nil) },
    Rule("bias scales agree", says: "biases of another kind") { $0.tail = scores(scale: 1) },
    Rule("biases are as wide as predicates are many", says: "float32 [rows, 4]") {
      $0.head = scores(predicates: 2)
      $0.tail = scores(predicates: 2)
    },
    Rule("biases are for all rows", says: "5 rows") { $0.head = scores(biasRows: 5) },
    Rule("predicates share one product", says: "one head") { $0.head = scores(heads: 2) },
    Rule("rows and columns have heads alike", says: "columns 1 of 4") {
      $0.head.rows = HeadSlices(shaped(.float32, 6, 16), headStride: 4, heads: 2, channels: 4)
    },
    Rule("scale is a number", says: "must be numbers") { $0.scale = .nan },
    Rule("threshold is a number", says: "must be numbers") { $0.threshold = .nan },
    Rule("hits have four words", says: "list of hits") { $0.hits = shaped(.int32, 12, 3) },
    Rule("hits are integers", says: "list of hits") { $0.hits = shaped(.float32, 9, 4) },
    Rule("the count is an integer", says: "count must be int32") { $0.found = shaped(.float32, 1) },
  ]

  @Test(arguments: rules) func links(_ rule: Rule) {
    expectRefusal(of: rule, in: Self.valid) { $0 }
  }
}
