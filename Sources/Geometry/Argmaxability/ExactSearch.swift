internal import BigInt

extension ArgmaxSearch {
  /// Decides the classes that programs in double precision have left, if the layer is small enough, by programs in
  /// integers. No scale and no closeness is beyond those.
  /// - Returns: the classes that are still open.
  func decideExactly(_ open: [UndecidedClass], report: VerifiedReport) async throws -> [UndecidedClass] {
    let width = ExactPoints.width(classes)
    guard !open.isEmpty, width <= Self.exactWidth, classes.count * width <= exactSize else { return open }
    let exact = ExactPoints(classes, box: checker.box)
    var left: [UndecidedClass] = []
    for start in stride(from: 0, to: open.count, by: 64) {
      let block = Array(open[start..<min(start + 64, open.count)])
      let proofs = try await withThrowingTaskGroup(of: (Int, VerifiedProof?).self) { group in
        for (place, undecided) in block.enumerated() {
          group.addTask { (place, try await decideExactly(undecided.candidate, exact)) }
        }
        var proofs = [VerifiedProof?](repeating: nil, count: block.count)
        for try await (place, proof) in group { proofs[place] = proof }
        return proofs
      }
      left += zip(block, proofs).filter { $1 == nil }.map(\.0)
      let found = proofs.compactMap { $0 }
      if !found.isEmpty { try await report(found, .exactPrograms) }
    }
    return left
  }

  private func decideExactly(_ candidate: Candidate, _ exact: ExactPoints) async throws -> VerifiedProof? {
    var program = ExactProgram(exact, candidate)
    switch try program.solve() {
    case .direction(let direction):
      let hidden = exact.hidden(direction)
      // Doubles if they will do: the proof is shorter.
      if case .proven(let proof)? = await check([candidate], hidden: [hidden.map(\.rounded)]).first { return proof }
      guard case .proven(let proof)? = await check([candidate.proof(.exact(hidden))]).first else { return nil }
      return proof
    case .combination(let classes, let weights):
      let total = weights.reduce(0, +)
      guard total > 0 else { return nil }
      let shares = weights.map { ExactNumber($0, over: total) }
      return checker.verified(candidate.proof(Combination(classes: classes, exactWeights: shares)))
    }
  }
}
