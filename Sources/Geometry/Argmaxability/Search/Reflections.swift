extension ArgmaxSearch {
  /// Reflects each direction at the hyperplane on which its class scores the same as the rival that leads, until the
  /// class leads itself or a hundred rounds are over; those that never do stay in `open`.
  func reflect(_ open: inout [Candidate], report: Report) async throws {
    for _ in 0..<100 where !open.isEmpty {
      try Task.checkCancellation()
      let leaders = try await scores.leader(open.map(\.direction))
      let leading = open.indices.filter { open[$0].isSame(leaders[$0], classes) }
      var rivals = leaders
      var proofs: [ClassProof] = []
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
