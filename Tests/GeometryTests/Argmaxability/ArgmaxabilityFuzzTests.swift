import CPUBackend
import Engine
import Foundation
import Logging
import Testing

@testable import Geometry

/// Random small layers of the kinds that are hard for floating-point numbers, each class against an oracle without
/// rounding, and false proofs against the checker.
///
/// `WEFT_FUZZ_LAYERS` says how many layers, and `WEFT_FUZZ_SEED` where to start.
@Suite struct ArgmaxabilityFuzzTests {
  @Test func everyVerdictIsRightAndNoForgedProofIsTaken() async throws {
    let environment = ProcessInfo.processInfo.environment
    let count = environment["WEFT_FUZZ_LAYERS"].flatMap(Int.init) ?? 2000
    let first = environment["WEFT_FUZZ_SEED"].flatMap(UInt64.init) ?? 1
    let engine = Engine(backend: CPUBackend(), logger: Logger(label: "test"))
    let start = ContinuousClock.now
    var figures = Figures()
    for number in 0..<UInt64(count) {
      let layer = HardLayer(seed: first &+ number)
      try await figures.add(layer, on: engine)
    }
    let seconds = start.duration(to: .now) / .seconds(1)
    print("argmaxability fuzz: \(figures.text), \(seconds) s")
    #expect(figures.wrong == 0 && figures.undecided == 0 && figures.refused == 0 && figures.accepted == 0)
    // Enough of everything that matters.
    for verdict in [Verdict.argmaxable, .unargmaxable, .tied] {
      #expect(figures.counts[verdict, default: 0] > count / 2)
    }
    #expect(figures.forged > 10 * count)
  }

  private struct Figures {
    var layers = 0
    var counts: [Verdict: Int] = [:]
    var wrong = 0
    var undecided = 0
    /// Proofs that the checker refuses.
    var refused = 0
    var exact = 0
    var forged = 0
    var accepted = 0

    var text: String {
      let verdicts = Verdict.allCases.map { "\(counts[$0, default: 0]) \($0.rawValue)" }.joined(separator: ", ")
      return "\(layers) layers, \(counts.values.reduce(0, +)) verdicts (\(verdicts)), \(wrong) wrong, \(undecided) "
        + "undecided, \(refused) refused, \(exact) proofs with exact numbers; \(forged) forged proofs, \(accepted) accepted"
    }

    mutating func add(_ layer: HardLayer, on engine: Engine) async throws {
      let classes = try OutputClasses(layer.rows.flatMap { $0 }, dimension: layer.rows[0].count, bias: layer.bias)
      let search = try await ArgmaxSearch(classes, box: layer.box, on: engine)
      var proofs: [ClassProof] = []
      try await search.run { found, _ in proofs += found }
      proofs.sort { $0.index < $1.index }
      #expect(proofs.map(\.index) == Array(0..<classes.count), "\(layer)")

      let oracle = DefinitionOracle(rows: layer.rows, bias: layer.bias, box: layer.box)
      let truth = layer.rows.indices.map { oracle.verdict($0) }
      layers += 1
      for (proof, truth) in zip(proofs, truth) {
        counts[proof.verdict, default: 0] += 1
        if proof.verdict == .undecided {
          undecided += 1
        } else if proof.verdict != truth {
          wrong += 1
        }
        if proof.isExact { exact += 1 }
        #expect(proof.verdict == truth, "class \(proof.index) of \(layer)")
        if case .tied(_, let together) = proof.claim {
          let wins = oracle.wins(proof.index)
          switch together {
          case .above: #expect(wins, "class \(proof.index) of \(layer)")
          case .below: #expect(!wins, "class \(proof.index) of \(layer)")
          // The first of those that are tied speaks for all.
          case .unsaid: #expect(oracle.copy(of: proof.index) ?? .max < proof.index, "class \(proof.index) of \(layer)")
          }
        }
      }
      let checker = try ProofChecker(classes, box: layer.box)
      for (proof, finding) in zip(proofs, await checker.findings(proofs)) where finding != .proven {
        refused += 1
        Issue.record("class \(proof.index), \(finding), of \(layer)")
      }

      var forger = Forger(layer, oracle, truth, proofs, checker)
      let forgeries = forger.forgeries()
      forged += forgeries.count
      for (forgery, finding) in zip(forgeries, await checker.findings(forgeries)) where finding == .proven {
        accepted += 1
        Issue.record("\(forgery) was accepted, of \(layer)")
      }
    }
  }
}

extension ClassProof {
  /// Whether it holds numbers that are no doubles.
  var isExact: Bool {
    switch claim {
    case .argmaxable(.exact), .tied(_, .above(.exact)): true
    case .unargmaxable(let combination), .tied(_, .below(let combination)): combination.exactWeights != nil
    default: false
    }
  }
}

/// A random layer of one of several kinds.
struct HardLayer: CustomStringConvertible {
  enum Kind: CaseIterable {
    case integers, lattice, midpoints, exactMidpoints, nearDuplicates, collinear, hugeAndTiny, duplicates, zeros
    case subnormal, farApart, similarScores
  }

  /// What becomes of the float32 numbers that a layer is made of.
  enum Precision: CaseIterable {
    /// They stay.
    case single
    /// Digits follow that float32 does not hold.
    case double
    /// Columns lie far outside of what float32 holds.
    case remote
  }

  let seed: UInt64
  let kind: Kind
  let precision: Precision
  private(set) var rows: [[Double]] = []
  private(set) var bias: [Double]?
  private var single: [[Float]]
  private var singleBias: [Float]?
  let box: Double?

  var description: String {
    "seed \(seed), \(kind), \(precision): w \(rows), b \(bias.map { "\($0)" } ?? "-"), box \(box ?? 0)"
  }

  init(seed: UInt64) {
    var generator = SplitMix64(seed: seed &* 0x9E37_79B9_7F4A_7C15)
    self.seed = seed
    let kind = Kind.allCases.randomElement(using: &generator) ?? .integers
    self.kind = kind
    precision = seed.isMultiple(of: 3) ? .double : seed % 6 == 1 ? .remote : .single
    let count = Int.random(in: 2...14, using: &generator)
    let dimension = [1, 1, 2, 2, 3, 3, 4, 5, 6].randomElement(using: &generator) ?? 1
    single = (0..<count).map { _ in Self.row(kind, dimension, &generator) }
    box = [nil, nil, 0x1p-20, 0.5, 1, 1000].randomElement(using: &generator) ?? nil
    shape(&generator)
    setBias(&generator)
    // Copies of some, which may have another bias.
    if kind == .duplicates || Int.random(in: 0..<8, using: &generator) == 0 {
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        let (from, to) = (Int.random(in: 0..<count, using: &generator), Int.random(in: 0..<count, using: &generator))
        single[to] = single[from].map { $0 == 0 ? -$0 : $0 }
        if Bool.random(using: &generator), let value = singleBias?[from] { singleBias?[to] = value }
      }
    }
    setPrecision(&generator)
  }

  /// Copies stay copies now and then: the further digits are few.
  private mutating func setPrecision(_ generator: inout SplitMix64) {
    rows = single.map { $0.map { Double($0) } }
    bias = singleBias.map { $0.map { Double($0) } }
    switch precision {
    case .single: break
    case .double:
      func extended(_ number: Double) -> Double {
        number * (1 + Double(Int.random(in: -1...1, using: &generator)) * 0x1p-45)
      }
      rows = rows.map { $0.map(extended) }
      bias = bias.map { $0.map(extended) }
    case .remote:
      let scales = single[0].map { _ in
        Double(sign: .plus, exponent: Int.random(in: -500...500, using: &generator), significand: 1)
      }
      rows = rows.map { zip($0, scales).map { $0 * $1 } }
    }
  }

  private static func row(_ kind: Kind, _ dimension: Int, _ generator: inout SplitMix64) -> [Float] {
    func normal() -> Float { (0..<6).reduce(-3) { sum, _ in sum + Float.random(in: 0...1, using: &generator) } }
    func power(_ range: ClosedRange<Int>) -> Float {
      Float(sign: .plus, exponent: Int.random(in: range, using: &generator), significand: 1)
    }
    switch kind {
    case .integers, .duplicates: return (0..<dimension).map { _ in Float(Int.random(in: -2...2, using: &generator)) }
    case .lattice, .exactMidpoints:
      return (0..<dimension).map { _ in Float(Int.random(in: -8...8, using: &generator)) / 8 }
    case .midpoints, .nearDuplicates, .collinear, .similarScores: return (0..<dimension).map { _ in normal() }
    case .hugeAndTiny:
      let scale = power(-80...80)
      return (0..<dimension).map { _ in normal() * scale }
    case .zeros:
      return (0..<dimension).map { _ in Int.random(in: 0..<3, using: &generator) == 0 ? normal() : 0 }
    case .subnormal:
      return (0..<dimension).map { _ in Float(Int.random(in: -4...4, using: &generator)) * .leastNonzeroMagnitude }
    case .farApart:
      let sizes: [Float] = [0, .leastNonzeroMagnitude, .leastNormalMagnitude, 1e-20, 1, 1e20, 3e38]
      return (0..<dimension).map { _ in
        (sizes.randomElement(using: &generator) ?? 0) * (Bool.random(using: &generator) ? 1 : -1)
      }
    }
  }

  /// Moves rows to where they are hard to tell from others.
  private mutating func shape(_ generator: inout SplitMix64) {
    let (count, dimension) = (single.count, single[0].count)
    switch kind {
    case .midpoints, .exactMidpoints:
      let sources = max(2, count * 2 / 3)
      for index in min(sources, count)..<count {
        let parts = (0..<Int.random(in: 2...3, using: &generator)).map { _ in
          single[Int.random(in: 0..<sources, using: &generator)]
        }
        single[index] = (0..<dimension).map { column in
          Float(parts.reduce(0.0) { $0 + Double($1[column]) } / Double(parts.count))
        }
      }
    case .nearDuplicates:
      for index in (count / 2)..<count {
        single[index] = single[index - count / 2].map { number in
          number * (1 + Float.random(in: -1...1, using: &generator) * 0x1p-13)
        }
      }
    case .collinear:
      let (base, way) = (single[0], single[1])
      for index in 2..<max(count, 2) where index < count {
        let place = Float(Int.random(in: -6...6, using: &generator)) / 4
        single[index] = zip(base, way).map { $0 + place * $1 }
      }
    case .similarScores:
      // All of nearly one length, most of them at the corners.
      let scale = Float.random(in: 0.5...2, using: &generator)
      single = single.map { row in
        let length = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return length > 0 ? row.map { $0 / length * scale } : row
      }
    default: break
    }
  }

  private mutating func setBias(_ generator: inout SplitMix64) {
    let count = single.count
    switch Int.random(in: 0..<8, using: &generator) {
    case 0, 1: singleBias = nil
    case 2: singleBias = [Float](repeating: 1.5, count: count)
    case 3, 4: singleBias = (0..<count).map { _ in Float(Int.random(in: -2...2, using: &generator)) }
    case 5: singleBias = (0..<count).map { _ in Float.random(in: -0.1...0.1, using: &generator) }
    case 6:
      // About as large as scores where elements are near 1.
      singleBias = single.map { row in
        row.reduce(0) { $0 + abs($1) / 2 } * Float.random(in: -1...1, using: &generator)
      }
      if singleBias?.allSatisfy(\.isFinite) != true { singleBias = nil }
    default:
      singleBias = (0..<count).map { _ in
        Float(sign: .plus, exponent: Int.random(in: -60...20, using: &generator), significand: 1)
          * Float.random(in: -1...1, using: &generator)
      }
    }
  }
}

/// Makes proofs that look right and are false: of a verdict that the oracle contradicts, or by evidence that it refutes.
private struct Forger {
  private let layer: HardLayer
  private let oracle: DefinitionOracle
  private let truth: [Verdict]
  private var generator: SplitMix64
  private let witnesses: [[Double]]
  private let combinations: [Combination]
  private let proofs: [ClassProof]
  private var count: Int { layer.rows.count }

  init(
    _ layer: HardLayer, _ oracle: DefinitionOracle, _ truth: [Verdict], _ proofs: [ClassProof], _ checker: ProofChecker
  ) {
    (self.layer, self.oracle, self.truth, self.proofs) = (layer, oracle, truth, proofs)
    generator = SplitMix64(seed: ~layer.seed)
    var witnesses: [[Double]] = []
    var combinations: [Combination] = []
    for proof in proofs {
      switch proof.claim {
      case .argmaxable(let direction), .tied(_, .above(let direction)):
        if let hidden = checker.hiddenVector(direction, of: proof.index), hidden.allSatisfy(\.isFinite) {
          witnesses.append(hidden)
        }
      case .unargmaxable(let combination), .tied(_, .below(let combination)): combinations.append(combination)
      default: break
      }
    }
    (self.witnesses, self.combinations) = (witnesses, combinations)
  }

  mutating func forgeries() -> [ClassProof] {
    var forged: [ClassProof] = []
    for index in 0..<count {
      let claims =
        wrongWitnesses(index) + wrongCombinations(index) + wrongTies(index) + malformed(index) + relabelled(index)
      forged += claims.map { ClassProof(index: index, claim: $0) }
    }
    return forged
  }

  /// Hidden vectors that do not put the class on top, or that lie outside of the box.
  private mutating func wrongWitnesses(_ index: Int) -> [ClassProof.Claim] {
    var vectors: [[Double]] = [[Double](repeating: 0, count: layer.rows[0].count), layer.rows[index]]
    for hidden in witnesses.shuffled(using: &generator).prefix(4) {
      vectors += [
        hidden, hidden.map { -$0 }, hidden.map { $0 * 0x1p200 }, hidden.map { $0 * 0x1p-200 },
        hidden.map { $0 * (1 + Double.random(in: -1e-6...1e-6, using: &generator)) },
      ]
      if let box = layer.box { vectors.append(hidden.map { $0 < 0 ? -box.nextUp : box.nextUp }) }
    }
    if let other = layer.rows.randomElement(using: &generator) {
      vectors.append(zip(layer.rows[index], other).map { $0 - $1 })
    }
    return vectors.filter { $0.allSatisfy(\.isFinite) }.flatMap { hidden -> [ClassProof.Claim] in
      var claims: [ClassProof.Claim] = []
      let exact = Direction.exact(hidden.compactMap { ExactNumber($0) })
      if !oracle.isOnTop(index, at: hidden) { claims += [.argmaxable(.vector(hidden)), .argmaxable(exact)] }
      if let copy = oracle.copy(of: index), !oracle.isOnTop(index, at: hidden, withCopies: true) {
        claims += [.tied(with: copy, .above(.vector(hidden))), .tied(with: copy, .above(exact))]
      }
      return claims
    }
  }

  /// Combinations of others that can be lower than the class.
  private mutating func wrongCombinations(_ index: Int) -> [ClassProof.Claim] {
    let others = (0..<count).filter { $0 != index }
    var claims: [ClassProof.Claim] = []
    // With weights that may be right for another class, if not for this one.
    if truth[index] != .unargmaxable {
      var borrowed = combinations.filter { !$0.classes.contains(index) }
      borrowed += others.shuffled(using: &generator).prefix(2).map { Combination(classes: [$0], weights: [1]) }
      if let nearest = others.min(by: { distance($0, index) < distance($1, index) }) {
        borrowed.append(Combination(classes: [nearest], weights: [1]))
        borrowed.append(Combination(classes: [nearest], exactWeights: [ExactNumber("1")].compactMap { $0 }))
      }
      if others.count > 1 {
        let pair = Array(others.shuffled(using: &generator).prefix(2))
        borrowed.append(Combination(classes: pair, weights: [0.5, 0.5]))
      }
      claims += borrowed.map { .unargmaxable($0) }
      if truth[index] == .argmaxable { claims += borrowed.map { .undecided($0, bound: 0) } }
      if truth[index] == .tied { claims += borrowed.map { .undecided($0, bound: .greatestFiniteMagnitude) } }
      if let copy = oracle.copy(of: index), oracle.wins(index) {
        claims += borrowed.map { .tied(with: copy, .below($0)) }
      }
    }
    // With exact weights that the oracle refutes: random ones, and right ones moved by a little.
    for _ in 0..<2 {
      let members = Array(others.shuffled(using: &generator).prefix(Int.random(in: 1...3, using: &generator)))
      let weights = members.map { _ in Int.random(in: 1...4, using: &generator) }
      guard !members.isEmpty, !oracle.isBelow(index, members, weights: weights) else { continue }
      claims.append(.unargmaxable(exact(members, weights)))
    }
    if case .unargmaxable(let combination) = proofs[index].claim, combination.classes.count > 1 {
      var weights = combination.weights.map { max(1, Int(($0 * 0x1p40).rounded())) }
      weights[0] += 1
      if !oracle.isBelow(index, combination.classes, weights: weights) {
        claims.append(.unargmaxable(exact(combination.classes, weights)))
      }
    }
    return claims
  }

  private mutating func wrongTies(_ index: Int) -> [ClassProof.Claim] {
    let others = (0..<count).filter { $0 != index && !oracle.isCopy($0, index) }
    return others.shuffled(using: &generator).prefix(2).map { .tied(with: $0, .unsaid) }
      + [.tied(with: index, .unsaid), .tied(with: count, .unsaid), .tied(with: -1, .unsaid)]
  }

  /// True proofs with a fault.
  private mutating func malformed(_ index: Int) -> [ClassProof.Claim] {
    var claims: [ClassProof.Claim] = []
    switch proofs[index].claim {
    case .argmaxable(let direction):
      claims += [.argmaxable(.row(scale: .nan)), .argmaxable(.centredRow(scale: .infinity)), .argmaxable(.exact([]))]
      if case .vector(let hidden) = direction {
        claims += [
          .argmaxable(.vector(hidden + [0])), .argmaxable(.vector(hidden.dropLast() + [.nan])),
          .argmaxable(.vector(hidden.dropLast() + [-.infinity])),
        ]
      }
    case .unargmaxable(let combination):
      let (members, weights) = (combination.classes, combination.weights)
      let outside = (0..<count).first { !members.contains($0) && $0 != index }
      var altered: [Combination] = [
        Combination(classes: members + [index], weights: weights + [1]),
        Combination(classes: members + [members[0]], weights: weights + [0.5]),
        Combination(classes: members + [count], weights: weights + [1e-9]),
        Combination(classes: members, weights: weights.map { -$0 }),
        Combination(classes: members, weights: weights.map { _ in .nan }),
        Combination(classes: members, weights: weights.dropLast() + [.infinity]),
        Combination(classes: members, weights: weights + [1]), Combination(classes: [], weights: []),
        Combination(classes: [], exactWeights: []),
      ]
      // In a box the sum of weights does not matter.
      if layer.box == nil { altered.append(Combination(classes: members, weights: weights.map { $0 * 0.75 })) }
      if let outside { altered.append(Combination(classes: members + [outside], weights: weights + [-0.25])) }
      // A digit more makes the denominators ten times as large.
      let tenths = combination.exactWeights?.map(\.description).map { $0.contains("/") ? $0 + "0" : $0 + "/10" }
      if let tenths { altered.append(Combination(classes: members, exactWeights: tenths.compactMap(ExactNumber.init))) }
      claims += altered.map { .unargmaxable($0) }
    default: break
    }
    return claims
  }

  /// Evidence of one verdict under another's name.
  private func relabelled(_ index: Int) -> [ClassProof.Claim] {
    var claims: [ClassProof.Claim] = []
    if let copy = oracle.copy(of: index) {
      claims += [
        .unargmaxable(Combination(classes: [copy], weights: [1])), .unargmaxable(exact([copy], [1])),
        .argmaxable(.row(scale: 1)), .argmaxable(.centredRow(scale: 1)),
        .tied(with: copy, .below(Combination(classes: [copy], weights: [1]))),
        .tied(with: copy, .below(exact([copy], [1]))),
      ]
      if case .tied(_, .above(let direction)) = proofs[index].claim { claims.append(.argmaxable(direction)) }
      if case .tied(_, .below(let combination)) = proofs[index].claim { claims.append(.unargmaxable(combination)) }
    }
    if truth[index] == .unargmaxable { claims += [.argmaxable(.row(scale: 1)), .argmaxable(.centredRow(scale: 1e3))] }
    return claims
  }

  private func exact(_ members: [Int], _ weights: [Int]) -> Combination {
    let total = weights.reduce(0, +)
    return Combination(classes: members, exactWeights: weights.compactMap { ExactNumber("\($0)/\(total)") })
  }

  private func distance(_ first: Int, _ second: Int) -> Double {
    zip(layer.rows[first], layer.rows[second]).reduce(0) { $0 + abs($1.0 - $1.1) }
  }
}
