import Engine

extension ArgmaxSearch {
  /// Decides what is left by linear programs: in each round all of them are solved, and the device names for all at once
  /// the rivals that lead in the directions found, which join the programs.
  func solvePrograms(_ open: [Pursuit], report: ([ClassProof]) async throws -> Void) async throws {
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
            settled.append(undecided(step.program.pursuit, step.position.combination))
          }
        }
      }
      if !settled.isEmpty { try await report(settled) }
    }
  }

  /// Rivals that join a program in a round.
  private var rivalCount: Int { min(classes.count, max(16, min(points.width / 3, 512))) }

  /// Programs at a time: within about half a gigabyte.
  private var programLimit: Int {
    let rows = min(classes.count, 2 * points.width)
    return max(4, min(64, (1 << 29) / (40 * rows * (points.width + 1))))
  }

  private struct Step: Sendable {
    let program: ClassProgram
    let position: ClassProgram.Position
    let proof: ClassProof?

    /// The class, looked for where the program points.
    var pursuit: Pursuit {
      var pursuit = program.pursuit
      pursuit.direction = position.direction
      return pursuit
    }
  }

  /// Programs whose first rivals are those that lead in the directions looked at last.
  private func start(_ pursuits: [Pursuit], _ settled: inout [ClassProof]) async throws -> [ClassProgram] {
    let leaders = try await scores.leaders(pursuits.map(\.direction), count: rivalCount)
    var programs: [ClassProgram] = []
    for (pursuit, leaders) in zip(pursuits, leaders) {
      if let program = try? ClassProgram(pursuit, points), await program.take(leaders) {
        programs.append(program)
      } else {
        settled.append(undecided(pursuit, nil))
      }
    }
    return programs
  }

  /// Solves all programs, and checks certificates where next to no margin is left.
  private func step(_ programs: [ClassProgram]) async -> [Step] {
    await withTaskGroup(of: (Int, Step).self) { group in
      for (place, program) in programs.enumerated() {
        let draft = CertificateDraft(checker)
        group.addTask {
          let position = await program.solve()
          let pursuit = program.pursuit
          guard position.margin <= 1e-6, let combination = position.combination,
            let proven = draft.proven(combination, of: pursuit.index)
          else { return (place, Step(program: program, position: position, proof: nil)) }
          return (place, Step(program: program, position: position, proof: pursuit.proof(proven)))
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
      let pursuit = steps[place].program.pursuit
      let ahead = Array(leaders.prefix { !pursuit.isSame($0, classes) })
      let rivals = await steps[place].program.unknown(ahead)
      if rivals.isEmpty { leading.append(place) } else { outcomes[place] = .beaten(by: rivals) }
    }
    for (place, outcome) in zip(leading, await check(leading.map { steps[$0].pursuit })) {
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
  private func undecided(_ pursuit: Pursuit, _ combination: Combination?) -> ClassProof {
    let check = CertificateCheck(checker)
    if let combination, let bound = check.bound(combination, of: pursuit.index) {
      return pursuit.undecided(combination, bound: bound)
    }
    let other = Combination(classes: [pursuit.index == 0 ? 1 : 0], weights: [1])
    return pursuit.undecided(other, bound: check.bound(other, of: pursuit.index) ?? .greatestFiniteMagnitude)
  }
}

extension ClassProgram {
  /// Adds rivals.
  /// - Returns: whether there was room for them.
  fileprivate func take(_ rivals: [Int]) -> Bool { (try? add(unknown(rivals))) != nil }
}
