extension ArgmaxSearch {
  /// Tries hidden vectors that are likely to put their classes on top; those that do not stay in `open`, with the last
  /// one tried.
  func probe(_ open: inout [Candidate], report: Report) async throws {
    for probe in Probe.all(points, box: checker.box) {
      try await tryDirections(&open, report: { try await report($0, probe.stage) }) {
        probe.direction($0.index, classes)
      }
    }
    // Of few classes the covariance says nothing. How many are left must not matter: a run that goes on where another
    // ended finds the same proofs.
    guard classes.count >= 64, !open.isEmpty, let covariance = Covariance(classes) else { return }
    let scales = Probe.scales(points, box: checker.box)
    for scale in scales {
      try await tryDirections(&open, report: { try await report($0, .whitenedVector) }) { candidate in
        guard let centred = checker.hiddenVector(.centredRow(scale: 1), of: candidate.index) else { return nil }
        let whitened = covariance.solve(centred)
        let factor = scale(whitened.reduce(0) { max($0, abs($1)) })
        return .vector(whitened.map { $0 * factor })
      }
    }
  }

  /// Enough for the check to keep many processors busy, and not so much that little is ever finished.
  private static let blockSize = 2048

  /// Asks the device in blocks, and the checker where the device says that a class leads.
  private func tryDirections(
    _ open: inout [Candidate], report: ([ClassProof]) async throws -> Void, _ direction: (Candidate) -> Direction?
  ) async throws {
    var left: [Candidate] = []
    for start in stride(from: 0, to: open.count, by: Self.blockSize) {
      try Task.checkCancellation()
      var block = Array(open[start..<min(start + Self.blockSize, open.count)])
      let directions = block.map(direction)
      for place in block.indices {
        guard let direction = directions[place],
          let hidden = checker.hiddenVector(direction, of: block[place].index)
        else { continue }
        block[place].direction = points.direction(hidden)
      }
      let leaders = try await scores.leader(block.map(\.direction))
      let leading = block.indices.filter { block[$0].isSame(leaders[$0], classes) }
      let outcomes = await check(leading.map { block[$0] }, as: leading.map { directions[$0] })
      let proven = Dictionary(uniqueKeysWithValues: zip(leading, outcomes))
      left += block.indices.filter { (proven[$0] ?? nil) == nil }.map { block[$0] }
      let proofs = outcomes.compactMap { $0 }
      if !proofs.isEmpty { try await report(proofs) }
    }
    open = left
  }

  /// A direction with a name (``Direction/row(scale:)``, ``Direction/centredRow(scale:)``) is a short proof as it is;
  /// others are rounded to decimals for one.
  private func check(_ candidates: [Candidate], as directions: [Direction?]) async -> [ClassProof?] {
    if directions.contains(where: { if case .vector? = $0 { true } else { false } }) {
      return await check(candidates).map { if case .proven(let proof) = $0 { proof } else { nil } }
    }
    let vectors = zip(candidates, directions).map { candidate, direction in
      direction.flatMap { checker.hiddenVector($0, of: candidate.index) } ?? []
    }
    let rivals = await rivals(candidates, vectors)
    return zip(zip(candidates, directions), rivals).map { pair, rivals in
      rivals.isEmpty ? pair.1.map { pair.0.proof($0) } : nil
    }
  }
}

/// A hidden vector that is likely to put a class on top.
struct Probe {
  /// The factor for a vector whose largest element is given: a power of two, so that scaling does not round.
  typealias Scale = @Sendable (Double) -> Double

  private let isCentred: Bool
  private let scale: Scale

  var stage: SearchStage { isCentred ? .centredVector : .vector }

  static func all(_ points: ClassPoints, box: Double?) -> [Probe] {
    [false, true].flatMap { isCentred in scales(points, box: box).map { Probe(isCentred: isCentred, scale: $0) } }
  }

  /// Where there are biases the length of a hidden vector matters, and it should be long: as long as the box lets it, or
  /// so long that biases count little.
  static func scales(_ points: ClassPoints, box: Double?) -> [Scale] {
    let fitting: Scale = { largest in
      guard let box, largest > 0 else { return 1 }
      // Rounded down, and once more, for what rounding a decimal may add.
      return Double(sign: .plus, exponent: Int((box / largest).exponent), significand: 1) / 2
    }
    switch points.form {
    case .plain, .boxed: return [fitting]
    case .lifted:
      let bias = points.classes.bias ?? []
      let spread = Double(bias.max() ?? 0) - Double(bias.min() ?? 0)
      let long: Scale = { largest in
        // <w, h> of about 2¹⁰ times the biases' spread.
        let wanted = 1024 * spread / max(largest * largest, .leastNormalMagnitude)
        return Double(sign: .plus, exponent: max(0, min(Int(wanted.exponent) + 1, 200)), significand: 1)
      }
      return [fitting, long]
    }
  }

  func direction(_ index: Int, _ classes: OutputClasses) -> Direction? {
    let largest = classes.row(index).reduce(0) { max($0, Double(abs($1))) }
    guard largest > 0 || isCentred else { return nil }
    // The mean is no longer than the longest vector: twice as large is enough for what is centred.
    let bound = isCentred ? 2 * Double(classes.elements.reduce(0) { max($0, abs($1)) }) : largest
    return isCentred ? .centredRow(scale: scale(bound)) : .row(scale: scale(largest))
  }
}
