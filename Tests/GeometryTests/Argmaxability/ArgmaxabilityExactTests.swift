import CPUBackend
import Engine
import Logging
import Testing

@testable import Geometry

/// Layers beyond what double precision with bounds can decide: boxes, scales, faces.
@Suite struct ArgmaxabilityExactTests {
  struct Layer: Sendable, CustomStringConvertible {
    var rows: [[Float]]
    var bias: [Float]? = nil
    var box: Double? = nil
    var expected: [Verdict]
    var description: String {
      "\(rows.count) classes of dimension \(rows[0].count), box \(box.map { "\($0)" } ?? "none")"
    }
  }

  /// A letter a class: argmaxable, unargmaxable or tied.
  private static func verdicts(_ letters: String) -> [Verdict] {
    letters.map { $0 == "A" ? .argmaxable : $0 == "u" ? .unargmaxable : .tied }
  }

  /// Layers that were once decided wrongly, or not at all. The verdicts were found with Python's fractions.
  static let layers: [Layer] = [
    // Class 1 is above class 2 where h > 5000, which the box does not hold.
    Layer(rows: [[-4], [0.1], [0.0999]], bias: [0, -0.5, 0], box: 1000, expected: Self.verdicts("AuA")),
    // The same with room.
    Layer(rows: [[-4], [0.1], [0.0999]], bias: [0, -0.5, 0], box: 6000, expected: Self.verdicts("AAA")),
    Layer(
      rows: [[2.0556579e+34], [-2.2453251e-07], [7.6927514e-21], [4.8837427e+26], [-3.1111471e-15]],
      bias: [4.4446392e+01, -4.5411124e-08, 7.0708193e-05, 4.0146358e+01, 7.8119397e-01], box: 0.5,
      expected: Self.verdicts("AuuAA")),
    Layer(
      rows: [
        [-2.71418018e+01, 4.20801849e+01, 7.47231522e+01], [7.87946774e-08, 1.03648631e-07, 1.16694657e-07],
        [6.35699609e-12, -1.08915802e-11, -7.01847597e-13], [2.80416690e-09, -2.25262906e-10, -3.04522518e-09],
        [-2.27905004e+10, 5.20519721e+10, 2.26869969e+11], [1.78225615e-04, -7.14046982e-05, -1.13783804e-04],
        [-7.97400128e+08, 6.92924352e+08, -3.71505984e+08], [2.19875000e+11, 6.41286668e+11, 3.29132671e+11],
        [-2.92001782e+03, -1.05813965e+03, 7.44915833e+02], [-3.99190320e-10, 1.33370814e-09, -1.12591370e-09],
        [2.24395538e+02, 4.26571472e+02, 2.64818665e+02],
      ],
      bias: [
        0.79897034, 0.03653922, -0.80036795, 0.619882, 0.2406824, 0.25225392, -0.87064487, -0.6550673, 1.1194317,
        1.926757, 0.7227077,
      ], box: 1, expected: Self.verdicts("uuuuAuAAAAA")),
    Layer(
      rows: [
        [-2.1022632e+10, 3.5056748e+09, -2.4099373e+10], [-2.9193282e-03, -1.4176572e-05, -2.7894106e-04],
        [-4.3196630e+08, 7.5664832e+08, -2.1500950e+07], [-2.6391642e-09, 2.0067001e-09, 9.6044739e-10],
        [4.6584424e+02, 1.4465521e+02, 4.7635891e+01], [-1.8083690e-02, 1.5918821e-02, 9.7729685e-03],
        [-2.0331500e+05, 1.6727417e+05, 3.9960906e+05], [7.2859750e+04, -1.3609477e+04, -6.6687336e+04],
        [8.5801416e+03, 4.4058428e+03, -1.8971735e+03], [-1.2362225e+04, 1.9730365e+04, 5.0515454e+03],
        [2.3957957e-04, -3.1753061e-05, 1.4497323e-05],
      ], bias: [1, 1, 2, 2, -1, -2, -2, -2, -1, -1, -2], box: 0x1p-20, expected: Self.verdicts("AuAAuuuuuuu")),
    Layer(
      rows: [
        [0.01820495, -0.12416597], [0.13702662, 0.23880862], [-0.1828738, 0.17393428], [0.0054379, -0.00854591],
        [-0.6479085, -1.5270183], [0.01820614, -0.12417404], [0.13702294, 0.23880221], [-0.18285628, 0.17391762],
        [0.00543746, -0.00854522], [-0.6478858, -1.5269648], [0.09054736, -0.6175737],
      ],
      bias: [
        0.11716162, -0.00470129, -0.01925568, 0.04054238, -0.04456859, 0.03838036, -0.05856202, 0.02726209,
        -0.05220631, -0.0918534, -0.02968838,
      ], box: 1, expected: Self.verdicts("AAuuAuuAuuA")),
    // Copies below others are tied all the same.
    Layer(
      rows: [[1], [0], [1], [1], [0], [0], [0], [0], [1], [1], [1], [0], [1]],
      bias: [-2, -1, -1, -2, 2, 1, 2, 1, 0, 1, -2, 2, -1], expected: Self.verdicts("tuttttttuAttt")),
    Layer(
      rows: [
        [2, 0, 1, -2, -2], [2, 0, 1, -2, -2], [2, 1, -2, 0, -1], [2, -2, 1, -2, -2], [2, 1, -2, 0, -1],
        [2, 0, 1, -2, -2], [1, 0, -2, -2, 1], [1, 0, -2, -2, 1], [2, 0, 1, -2, -2], [2, 1, -2, 0, -1],
      ], bias: [0, -2, 0, 0, -1, -2, 0, 0, 1, 0], expected: Self.verdicts("uttAutttAt")),
    Layer(
      rows: [
        [0.11481467], [0.01655505], [1.3623248], [1.3623248], [0.75894356], [1.3623248], [1.3623248], [1.3623248],
        [0.13492346],
      ], expected: Self.verdicts("uAttutttu")),
    // Ratios whose squares no double holds next to each other.
    Layer(rows: [[1e-20], [1e20], [-1e20], [1]], expected: [.unargmaxable, .argmaxable, .argmaxable, .unargmaxable]),
    // Tiny vectors next to a bias that decides nothing.
    Layer(
      rows: [[1, 2, 3], [3, 1, 2], [-2, 1, 0], [0, -3, 1]].map { row in row.map { $0 * .leastNonzeroMagnitude } },
      bias: [1.5, 1.5, 1.5, 1.5], expected: Self.verdicts("AAAA")),
  ]

  @Test(arguments: layers) func hardLayersAreDecided(layer: Layer) async throws {
    let verdicts = try await OutputClasses(layer.rows, bias: layer.bias).verdicts(box: layer.box)
    #expect(verdicts == layer.expected)
    let oracle = DefinitionOracle(rows: layer.rows, bias: layer.bias, box: layer.box)
    #expect(layer.rows.indices.map { oracle.verdict($0) } == layer.expected)
  }

  /// Layers without a scale of their own: whatever the exponents, the verdicts are the same.
  @Test func extremeScalesChangeNothing() async throws {
    let rows: [[Float]] = [[1, 2], [2, 1], [1, 0], [0, 1], [1, 1], [1.5, 1.5], [0.5, 0.5]]
    let expected: [Verdict] =
      [.argmaxable, .argmaxable, .argmaxable, .argmaxable] + [Verdict](repeating: .unargmaxable, count: 3)
    for (first, second) in [(0, 0), (-148, 100), (120, -148), (126, 126), (-148, -148)] {
      let scales = [first, second].map { Float(sign: .plus, exponent: $0, significand: 1) }
      let scaled = rows.map { row in zip(row, scales).map { $0 * $1 } }
      #expect(try await OutputClasses(scaled).verdicts() == expected, "\(first) \(second)")
    }
  }

  /// Where the best of a class in a box is to tie exactly, only integers can tell.
  @Test func aTieAtTheEdgeOfTheBox() async throws {
    // Class 1 reaches class 0 at h = 0.75 exactly, the edge.
    let classes = try OutputClasses([[1], [1.5], [-4]], bias: [0.375, 0, 0])
    #expect(try await classes.verdicts(box: 0.75) == [.argmaxable, .unargmaxable, .argmaxable])
    #expect(try await classes.verdicts(box: (0.75).nextUp) == [.argmaxable, .argmaxable, .argmaxable])
  }

  /// The exact programs decide layers up to a stated size, and nothing else does at the edge of a box.
  @Test func theSizeLimitIsWhereItIsSaid() async throws {
    let engine = Engine(backend: CPUBackend(), logger: Logger(label: "test"))
    // Two numbers a class: the tie at the edge, and classes far below it.
    let limit = ArgmaxSearch.exactSize / 2
    for (count, isDecided) in [(limit, true), (limit + 1, false)] {
      let rows = [[1], [1.5], [-4]] + (3..<count).map { [Float($0) / 0x1p20] }
      let bias = [0.375, 0, 0] + (3..<count).map { -100 - Float($0) }
      let proofs = try await OutputClasses(rows, bias: bias).decided(box: 0.75, only: [0, 1, 2], on: engine)
      #expect(proofs.map(\.verdict) == [.argmaxable, isDecided ? .unargmaxable : .undecided, .argmaxable], "\(count)")
    }
    #expect(ExactPoints.width(try OutputClasses([[1, 2], [3, 4]], bias: [0, 1])) == 3)
    #expect(ExactPoints.width(try OutputClasses([[1, 2], [3, 4]], bias: [1, 1])) == 2)
    // So many numbers a class, the bias being one of them.
    for (width, isDecided) in [(ArgmaxSearch.exactWidth, true), (ArgmaxSearch.exactWidth + 1, false)] {
      let rows: [[Float]] = [1, 1.5, -4].map { [$0] + [Float](repeating: 0, count: width - 2) }
      let proofs = try await OutputClasses(rows, bias: [0.375, 0, 0]).decided(box: 0.75, on: engine)
      #expect(proofs.map(\.verdict) == [.argmaxable, isDecided ? .unargmaxable : .undecided, .argmaxable], "\(width)")
    }
  }

  /// All of a layer by integers alone, at the largest sizes.
  @Test(arguments: [(1489, 11, 1), (512, 32, 1), (64, 32, 1), (4096, 4, 1)])
  func integersAloneDecideTheLargest(count: Int, dimension: Int, undecided: Int) async throws {
    var rows = RandomRows(count, dimension: dimension, seed: 31)
    let planted = [1, count / 2, count - 1]
    if count > 2 * dimension { rows.bury(planted) }
    let classes = try rows.classes()
    let exact = ExactPoints(classes, box: nil)
    for index in planted.prefix(undecided) {
      var program = ExactProgram(exact, Candidate(index: index, duplicate: nil, direction: []))
      switch try program.solve() {
      case .direction: #expect(count <= 2 * dimension)
      case .combination(let members, let weights):
        #expect(count > 2 * dimension && members.count == weights.count && members.count <= dimension + 1)
      }
    }
  }
}

/// Numbers and checks of any size.
@Suite struct ExactNumberTests {
  @Test func textsAreNumbers() throws {
    for (text, value) in [("0", 0), ("-3/4", -0.75), ("7", 7), ("6/4", 1.5), ("1/3", 1 / 3.0)] as [(String, Double)] {
      #expect(try #require(ExactNumber(text)).rounded == value, "\(text)")
    }
    #expect(ExactNumber("6/4") == ExactNumber("3/2") && ExactNumber("6/4")?.description == "3/2")
    #expect(ExactNumber("-0") == ExactNumber("0/5") && ExactNumber("-8/2")?.description == "-4")
    for text in ["", "-", "1/", "/2", "1/0", "1/-2", "1.5", "1e3", " 1", "1/2/3", "+1", "0x1", "١"] {
      #expect(ExactNumber(text) == nil, "\(text)")
    }
  }

  @Test func doublesAreThemselves() throws {
    for value in [0, 0.1, -1.5e300, .leastNonzeroMagnitude, .greatestFiniteMagnitude, -.leastNormalMagnitude]
      as [Double]
    {
      #expect(try #require(ExactNumber(value)).rounded == value)
    }
    #expect(ExactNumber(0.75)?.description == "3/4" && ExactNumber(.nan) == nil && ExactNumber(.infinity) == nil)
    let beyond = try #require(ExactNumber("1" + String(repeating: "0", count: 400)))
    #expect(beyond.rounded == .infinity)
    #expect(try #require(ExactNumber("1/" + beyond.description)).rounded == 0)
    #expect(try #require(ExactNumber("-1" + beyond.description + "/" + beyond.description)).rounded < -10)
  }
}

/// Proofs with numbers that no double holds.
@Suite struct ExactProofTests {
  private let square = Result { try OutputClasses([[1, 2], [2, 1], [1, 0], [0, 1], [1, 1]]) }

  private func reason(_ index: Int, _ claim: ClassProof.Claim, in classes: OutputClasses? = nil, box: Double? = nil)
    async throws -> String
  {
    let checker = try ProofChecker(classes ?? square.get(), box: box)
    let finding = try #require(await checker.findings([ClassProof(index: index, claim: claim)]).first)
    guard case .rejected(let reason) = finding else { return "proven" }
    return reason
  }

  private func exact(_ texts: String...) -> [ExactNumber] { texts.compactMap(ExactNumber.init) }

  @Test func exactWitnesses() async throws {
    #expect(try await reason(2, .argmaxable(.exact(exact("1/3", "-1")))) == "proven")
    #expect(
      try await reason(2, .argmaxable(.exact(exact("1/3", "-1/3"))))
        == "the hidden vector does not put it above class 1")
    // A win by less than any double tells from none.
    let tiny = "-1" + String(repeating: "0", count: 400) + "1/1" + String(repeating: "0", count: 401)
    #expect(try await reason(2, .argmaxable(.exact(exact("1", tiny)))) == "proven")
    #expect(try await reason(2, .argmaxable(.exact(exact("1")))) == "the hidden vector has not 2 elements")
    #expect(try await reason(2, .argmaxable(.exact(exact("1/3", "-1"))), box: 1) == "proven")
    #expect(
      try await reason(2, .argmaxable(.exact(exact("1/3", tiny))), box: 1).contains("is outside the box of 1.0"))
  }

  @Test func exactCombinations() async throws {
    func combined(_ members: [Int], _ weights: String...) async throws -> String {
      try await reason(
        4, .unargmaxable(Combination(classes: members, exactWeights: weights.compactMap(ExactNumber.init))))
    }
    // Four classes in a plane, which rounded weights could not do.
    #expect(try await combined([0, 1, 2, 3], "1/4", "1/4", "1/4", "1/4") == "proven")
    #expect(try await combined([0, 2], "1/2", "1/2") == "proven")
    #expect(try await combined([0, 1, 2, 3], "1/4", "1/4", "1/2", "1/4") == "the weights do not add up to 1")
    #expect(try await combined([0, 1, 2, 3], "1/4", "1/4", "3/4", "-1/4") == "the weights must be positive")
    #expect(try await combined([0, 2, 1], "1/2", "1/2", "0") == "the weights must be positive")
    #expect(try await combined([0, 2], "1/3", "2/3") == "the combination misses the vector at 1")
    #expect(try await combined([0, 2], "1").contains("are no combination"))
    #expect(try await combined([0, 0], "1/2", "1/2").contains("must be different"))
    let nearly = "5" + String(repeating: "0", count: 30) + "1/1" + String(repeating: "0", count: 31)
    let rest = "4" + String(repeating: "9", count: 31) + "/1" + String(repeating: "0", count: 31)
    #expect(try await combined([0, 2], nearly, rest).contains("the weights do not add up to 1"))
  }

  @Test func exactCombinationsWithBiasesAndBoxes() async throws {
    let half = Combination(classes: [0, 2], exactWeights: exact("1/2", "1/2"))
    for (bias, isProven) in [
      ([0, 0, 0], true), ([1, 0, -1], true), ([1, 0, Float(-1).nextDown], false), ([0, 1, 0], false),
    ] as [([Float], Bool)] {
      let classes = try OutputClasses([[-1], [0], [1]], bias: bias)
      #expect(try await (reason(1, .unargmaxable(half), in: classes) == "proven") == isProven, "\(bias)")
    }
    // Class 1 reaches class 0 at the edge of the box.
    let edge = try OutputClasses([[1], [1.5]], bias: [0.375, 0])
    let below = Combination(classes: [0], exactWeights: exact("1"))
    #expect(try await reason(1, .unargmaxable(below), in: edge, box: 0.75) == "proven")
    #expect(try await reason(1, .unargmaxable(below), in: edge, box: (0.75).nextUp).contains("inside the box"))
    #expect(try await reason(1, .unargmaxable(below), in: edge).contains("misses the vector"))
  }

  /// One class, one verdict: what has a copy is tied and nothing else, what has none is not.
  @Test func copiesAreTiedAndNothingElse() async throws {
    let classes = try OutputClasses([[1, 0], [0, 1], [1, -0.0], [1, 0], [-1, -1]], bias: [0, 0, -0.0, 1, 0])
    let above = Combination(classes: [3], weights: [1])
    for claim in [
      .unargmaxable(above), .unargmaxable(Combination(classes: [2], weights: [1])),
      .unargmaxable(Combination(classes: [3], exactWeights: exact("1"))), .argmaxable(.vector([9, 0])),
      .undecided(above, bound: 1e9),
    ] as [ClassProof.Claim] {
      #expect(try await reason(0, claim, in: classes) == "class 2 has the same numbers, so that it is tied")
    }
    #expect(try await reason(0, .tied(with: 2, .below(above)), in: classes) == "proven")
    #expect(try await reason(0, .tied(with: 2, .unsaid), in: classes) == "proven")
    #expect(try await reason(3, .tied(with: 0, .unsaid), in: classes) == "class 0 has not the same numbers")
    #expect(try await reason(3, .argmaxable(.vector([9, 0])), in: classes) == "proven")
  }

  /// A bias that all classes share is none, however large it is next to the scores.
  @Test func aSharedBiasDoesNotDrownTheScores() async throws {
    let least = Float.leastNonzeroMagnitude
    let classes = try OutputClasses([[least], [-least], [0]], bias: [1e30, 1e30, 1e30])
    #expect(try await reason(0, .argmaxable(.vector([1])), in: classes) == "proven")
    #expect(try await reason(2, .argmaxable(.vector([1])), in: classes).contains("does not put it above"))
  }
}
