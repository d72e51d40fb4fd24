extension ArgmaxSearch {
  /// Tries hidden vectors that are likely to put their classes on top; those that do not stay in `open`, with the last
  /// one tried.
  func probe(_ open: inout [Candidate], report: VerifiedReport) async throws {
    for probe in Probe.all(points, box: checker.box) {
      try await tryDirections(&open, report: { try await report($0, probe.stage) }) {
        probe.direction($0.index, classes)
      }
    }
    // The covariance of few classes is useless. The number of open classes must not matter: a run that continues where another
    // ended finds the same proofs.
    guard classes.count >= 64, !open.isEmpty, let covariance = Covariance(classes) else { return }
    let scales = Probe.scales(points, box: checker.box)
    for scale in scales {
      try await tryDirections(&open, report: { try await report($0, .whitenedVector) }) { candidate in
        guard let centred = checker.hiddenVector(.centredRow(scale: 1), of: candidate.index) else { return nil }
        let whitened = covariance.solve(centred)
        guard let factor = scale(whitened.reduce(0) { max($0, abs($1)) }) else { return nil }
        return .vector(whitened.map { $0 * factor })
      }
    }
  }

  /// Enough for the check to keep many processors busy, and few enough that results are reported soon.
  private static let blockSize = 2048

  /// Asks the device in blocks, and the checker where the device says that a class leads.
  private func tryDirections(
    _ open: inout [Candidate], report: ([VerifiedProof]) async throws -> Void,
    _ direction: (Candidate) -> Direction?
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
        let way = points.direction(hidden)
        // Float64 numbers may overflow, and then nothing leads.
        if way.allSatisfy(\.isFinite) { block[place].direction = way }
      }
      let leaders = try await scores.leader(block.map(\.direction))
      let leading = block.indices.filter { directions[$0] != nil && block[$0].isSame(leaders[$0], classes) }
      let outcomes = await check(leading.map { block[$0] }, as: leading.compactMap { directions[$0] })
      let proven = Dictionary(uniqueKeysWithValues: zip(leading, outcomes))
      left += block.indices.filter { (proven[$0] ?? nil) == nil }.map { block[$0] }
      let proofs = outcomes.compactMap { $0 }
      if !proofs.isEmpty { try await report(proofs) }
    }
    open = left
  }

  /// ``Direction/row(scale:)`` and ``Direction/centredRow(scale:)`` are short proofs as they are; other directions are
  /// rounded to decimals.
  private func check(_ candidates: [Candidate], as directions: [Direction]) async -> [VerifiedProof?] {
    let hasVectors = directions.contains { if case .vector = $0 { true } else { false } }
    let outcomes =
      hasVectors ? await check(candidates) : await check(zip(candidates, directions).map { $0.proof($1) })
    return outcomes.map { if case .proven(let proof) = $0 { proof } else { nil } }
  }
}

/// A hidden vector that is likely to put a class on top.
struct Probe {
  /// The factor for a vector whose largest element is given: a power of two, so that scaling does not round. Nil if
  /// another factor is tried already.
  typealias Scale = @Sendable (Double) -> Double?

  private let isCentred: Bool
  private let scale: Scale

  var stage: SearchStage { isCentred ? .centredVector : .vector }

  static func all(_ points: ClassPoints, box: Double?) -> [Probe] {
    [false, true].flatMap { isCentred in scales(points, box: box).map { Probe(isCentred: isCentred, scale: $0) } }
  }

  /// Where there are biases the length of a hidden vector matters, and it should be long: as long as the box allows, or
  /// so long that biases count little, if that is inside.
  static func scales(_ points: ClassPoints, box: Double?) -> [Scale] {
    let fitting: @Sendable (Double) -> Double = { largest in
      guard let box = box.map({ min($0, ClassPoints.longest) }), largest > 0 else { return 1 }
      // Rounded down, and once more, for what rounding a decimal may add.
      return Double(sign: .plus, exponent: min(Int((box / largest).exponent), 1023), significand: 1) / 2
    }
    switch points.form {
    case .plain, .boxed: return [fitting]
    case .lifted:
      let bias = points.classes.bias ?? []
      let spread = (bias.max() ?? 0) - (bias.min() ?? 0)
      let long: Scale = { largest in
        // <w, h> of about 2¹⁰ times the biases' spread.
        let ratio = 1024 * spread / max(largest * largest, .leastNormalMagnitude)
        let wanted = ratio < ClassPoints.longest ? ratio : ClassPoints.longest
        let long = Double(sign: .plus, exponent: max(0, min(Int(wanted.exponent) + 1, 200)), significand: 1)
        return box == nil || long < fitting(largest) ? long : nil
      }
      return [fitting, long]
    }
  }

  func direction(_ index: Int, _ classes: OutputClasses) -> Direction? {
    let largest = classes.row(index).reduce(0) { max($0, abs($1)) }
    guard largest > 0 || isCentred else { return nil }
    // The mean is no longer than the longest vector: twice as large is enough for what is centred.
    let bound = isCentred ? 2 * classes.largestElement : largest
    return isCentred ? scale(bound).map { .centredRow(scale: $0) } : scale(largest).map { .row(scale: $0) }
  }
}

/// The covariance of the classes' vectors, factorised.
struct Covariance {
  private let dimension: Int
  /// Cholesky's factor L, row major, lower triangle.
  private let factor: [Double]

  /// The covariance of a layer's vectors; nil if they have no spread at all.
  init?(_ classes: OutputClasses) {
    let dimension = classes.dimension
    // Eight vectors per dimension are enough for a direction that is only a guess.
    let step = max(1, classes.count / max(4096, 8 * classes.dimension))
    let sample = stride(from: 0, to: classes.count, by: step).map { classes.row($0) }
    let count = Double(sample.count)
    var mean = [Double](repeating: 0, count: dimension)
    for row in sample { for j in mean.indices { mean[j] += row[j] / count } }
    var matrix = [Double](repeating: 0, count: dimension * dimension)
    matrix.withUnsafeMutableBufferPointer { matrix in
      for row in sample {
        let centred = zip(row, mean).map { $0 - $1 }
        for j in 0..<dimension {
          let x = centred[j] / count
          for l in 0...j { matrix[j * dimension + l] += x * centred[l] }
        }
      }
    }
    let trace = (0..<dimension).reduce(0) { $0 + matrix[$1 * dimension + $1] }
    guard trace > 0, trace.isFinite else { return nil }
    // A multiple of the identity bounds the weight of columns without spread.
    for j in 0..<dimension { matrix[j * dimension + j] += 1e-6 * trace / Double(dimension) }
    guard let factor = Self.choleskyFactor(matrix, dimension) else { return nil }
    self.dimension = dimension
    self.factor = factor
  }

  /// `Σ⁻¹ x`.
  func solve(_ x: [Double]) -> [Double] {
    var y = x
    for j in 0..<dimension {
      for l in 0..<j { y[j] -= factor[j * dimension + l] * y[l] }
      y[j] /= factor[j * dimension + j]
    }
    for j in (0..<dimension).reversed() {
      y[j] /= factor[j * dimension + j]
      for l in 0..<j { y[l] -= factor[j * dimension + l] * y[j] }
    }
    return y
  }

  private static func choleskyFactor(_ matrix: [Double], _ size: Int) -> [Double]? {
    var l = matrix
    let isPositive = l.withUnsafeMutableBufferPointer { l -> Bool in
      for j in 0..<size {
        for column in 0...j {
          var sum = l[j * size + column]
          for inner in 0..<column { sum -= l[j * size + inner] * l[column * size + inner] }
          if column < j {
            l[j * size + column] = sum / l[column * size + column]
          } else {
            guard sum > 0 else { return false }
            l[j * size + j] = sum.squareRoot()
          }
        }
      }
      return true
    }
    return isPositive ? l : nil
  }
}

extension ArgmaxSearch {
  /// Reflects each direction at the hyperplane on which its class scores the same as the rival that leads, until the
  /// class leads itself or a hundred rounds are over; those that never lead stay in `open`.
  func reflect(_ open: inout [Candidate], report: VerifiedReport) async throws {
    for _ in 0..<100 where !open.isEmpty {
      try Task.checkCancellation()
      let leaders = try await scores.leader(open.map(\.direction))
      let leading = open.indices.filter { open[$0].isSame(leaders[$0], classes) }
      var rivals = leaders
      var proofs: [VerifiedProof] = []
      var settled: Set<Int> = []
      for (place, outcome) in zip(leading, await check(leading.map { open[$0] })) {
        switch outcome {
        case .proven(let proof):
          proofs.append(proof)
          settled.insert(place)
        case .beaten(let by):
          rivals[place] = by.first ?? leaders[place]
        }
      }
      for place in open.indices where !settled.contains(place) {
        guard !open[place].isSame(rivals[place], classes) else { continue }
        open[place].direction = points.reflected(open[place].direction, open[place].index, at: rivals[place])
      }
      open = open.indices.filter { !settled.contains($0) }.map { open[$0] }
      if !proofs.isEmpty { try await report(proofs, .reflections) }
    }
  }
}

extension ClassPoints {
  /// `z - 2 <n, z> n` with `n = (a_k - a_i) / ‖a_k - a_i‖`; in a box only the hidden vector moves, and stays inside.
  func reflected(_ direction: [Double], _ index: Int, at rival: Int) -> [Double] {
    let difference = difference(index, rival)
    let movable = form == .boxed ? width - 1 : width
    var (product, squares) = (0.0, 0.0)
    for j in 0..<width { product += difference[j] * direction[j] }
    for j in 0..<movable { squares += difference[j] * difference[j] }
    guard squares > 0 else { return direction }
    var reflected = direction
    for j in 0..<movable { reflected[j] -= 2 * product / squares * difference[j] }
    switch form {
    case .plain: return Self.normalized(reflected)
    case .lifted:
      reflected[width - 1] = abs(reflected[width - 1])
      return Self.normalized(reflected)
    case .boxed: return reflected.map { min(max($0, -1), 1) }
    }
  }
}
