import Engine

extension ArgmaxSearch {
  /// Decides what is left by linear programs, in rounds:
  ///
  /// 1. classes that were waiting enter, as many as memory allows;
  /// 2. every program is solved, and where next to no margin is left its multipliers may be a certificate;
  /// 3. the device names the classes that lead in the directions found, and one that leads itself has a witness;
  /// 4. a program with neither takes up the leaders that it does not know. If it knows them all the class may be on a
  ///    face but for rounding, and a program along the face takes over; after that, the class is given up.
  func solvePrograms(_ open: [Candidate], report: Report) async throws {
    var waiting = open[...]
    var programs: [ClassProgram] = []
    while !waiting.isEmpty || !programs.isEmpty {
      try Task.checkCancellation()
      var settled: [ClassProof] = []
      let entering = Array(waiting.prefix(max(0, programLimit - programs.count)))
      waiting = waiting.dropFirst(entering.count)
      if !entering.isEmpty { programs += try await start(entering, &settled) }

      let steps = await step(programs)
      settled += steps.compactMap(\.proof)
      let open = steps.filter { $0.proof == nil }
      programs = []
      for (step, outcome) in zip(open, try await outcomes(open)) {
        switch outcome {
        case .proven(let proof): settled.append(proof)
        case .beaten(let rivals):
          if let next = await program(after: step, rivals) {
            programs.append(next)
          } else {
            settled.append(undecided(step.program.candidate, step.position.combination))
          }
        }
      }
      if !settled.isEmpty { try await report(settled, .linearPrograms) }
    }
  }

  /// Rivals that join a program in a round.
  private var rivalCount: Int { min(classes.count, max(16, min(points.width / 3, 512))) }

  /// Programs at a time: within about half a gigabyte.
  private var programLimit: Int {
    let rows = min(classes.count, 2 * points.width)
    return max(4, min(64, (1 << 29) / (40 * rows * (points.width + 1))))
  }

  /// A program that was solved, and the proof that came of it, if one did.
  private struct Step: Sendable {
    let program: ClassProgram
    let position: ClassProgram.Position
    let proof: ClassProof?

    /// The class, looked for where the program points.
    var candidate: Candidate {
      var candidate = program.candidate
      candidate.direction = position.direction
      return candidate
    }
  }

  /// Programs whose first rivals are those that lead in the directions looked at last.
  private func start(_ candidates: [Candidate], _ settled: inout [ClassProof]) async throws -> [ClassProgram] {
    let leaders = try await scores.leaders(candidates.map(\.direction), count: rivalCount)
    var programs: [ClassProgram] = []
    for (candidate, leaders) in zip(candidates, leaders) {
      if let program = try? ClassProgram(candidate, points), await program.take(leaders) {
        programs.append(program)
      } else {
        settled.append(undecided(candidate, nil))
      }
    }
    return programs
  }

  /// Solves all programs, and checks certificates where next to no margin is left.
  private func step(_ programs: [ClassProgram]) async -> [Step] {
    await withTaskGroup(of: (Int, Step).self) { group in
      for (place, program) in programs.enumerated() {
        let refinement = CertificateRefinement(checker)
        group.addTask {
          let position = await program.solve(steps: simplexSteps)
          let candidate = program.candidate
          guard position.margin <= SearchTolerance.margin, let combination = position.combination,
            let proven = refinement.proven(combination, of: candidate.index)
          else { return (place, Step(program: program, position: position, proof: nil)) }
          return (place, Step(program: program, position: position, proof: candidate.proof(proven)))
        }
      }
      var steps: [Int: Step] = [:]
      for await (place, step) in group { steps[place] = step }
      return programs.indices.compactMap { steps[$0] }
    }
  }

  /// For each program the rivals it does not know that lead in its direction, as far as the device can tell; if it sees
  /// none, what the checker says.
  private func outcomes(_ steps: [Step]) async throws -> [WitnessOutcome] {
    let directed = steps.indices.filter { steps[$0].position.direction.contains { $0 != 0 } }
    let leaders = try await scores.leaders(directed.map { steps[$0].position.direction }, count: rivalCount)
    var outcomes = [WitnessOutcome](repeating: .beaten(by: []), count: steps.count)
    var leading: [Int] = []
    for (place, leaders) in zip(directed, leaders) {
      let candidate = steps[place].program.candidate
      let ahead = Array(leaders.prefix { !candidate.isSame($0, classes) })
      let rivals = await steps[place].program.unknown(ahead)
      if rivals.isEmpty { leading.append(place) } else { outcomes[place] = .beaten(by: rivals) }
    }
    for (place, outcome) in zip(leading, await check(leading.map { steps[$0].candidate })) {
      outcomes[place] = outcome
      guard case .beaten(let by) = outcome else { continue }
      outcomes[place] = .beaten(by: Array(await steps[place].program.unknown(by).prefix(rivalCount)))
    }
    return outcomes
  }

  /// How a class goes on: with more rivals, or if there are none along a face, or not at all.
  private func program(after step: Step, _ rivals: [Int]) async -> ClassProgram? {
    if !rivals.isEmpty { return await step.program.take(rivals) ? step.program : nil }
    guard let next = try? await step.program.alongFace() else { return nil }
    return await next.take(await next.unknown(step.program.rivals)) ? next : nil
  }

  /// What can be said all the same: a bound, from the program's weights or else from one other class alone.
  private func undecided(_ candidate: Candidate, _ combination: Combination?) -> ClassProof {
    let check = CertificateCheck(checker)
    if let combination, let bound = check.bound(combination, of: candidate.index) {
      return candidate.undecided(combination, bound: bound)
    }
    let other = Combination(classes: [candidate.index == 0 ? 1 : 0], weights: [1])
    return candidate.undecided(other, bound: check.bound(other, of: candidate.index) ?? .greatestFiniteMagnitude)
  }
}

extension ClassProgram {
  /// Adds rivals.
  /// - Returns: whether there was room for them.
  fileprivate func take(_ rivals: [Int]) -> Bool { (try? add(unknown(rivals))) != nil }
}
