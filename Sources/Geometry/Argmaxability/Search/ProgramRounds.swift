import Engine

extension ArgmaxSearch {
  /// Decides what is left by linear programs: in each round all of them are solved, and the device names for all at once
  /// the rivals that lead in the directions found, which join the programs.
  func solvePrograms(_ open: [Pursuit], report: ([ClassProof]) async throws -> Void) async throws {
    var waiting = open[...]
    var programs: [ClassProgram] = []
    var rounds: [Int: Int] = [:]
    while !waiting.isEmpty || !programs.isEmpty {
      try Task.checkCancellation()
      var settled: [ClassProof] = []
      let entering = Array(waiting.prefix(max(0, programLimit - programs.count)))
      waiting = waiting.dropFirst(entering.count)
      if !entering.isEmpty { programs += try await start(entering, &settled) }

      let steps = await step(programs)
      let directed = steps.indices.filter { steps[$0].proven == nil && steps[$0].isDirected }
      let pursuits = directed.map { place in
        var pursuit = programs[place].pursuit
        pursuit.direction = steps[place].position.direction
        return pursuit
      }
      let rivals = try await self.rivals(pursuits)
      var found: [Int: DirectionOutcome] = Dictionary(uniqueKeysWithValues: zip(directed, rivals))
      var remaining: [ClassProgram] = []
      for (place, program) in programs.enumerated() {
        let pursuit = program.pursuit
        if let proof = steps[place].proven {
          settled.append(proof)
          continue
        }
        switch found.removeValue(forKey: place) {
        case .proven(let proof)?:
          settled.append(proof)
          continue
        case .rivals(let rivals)?:
          rounds[pursuit.index, default: 0] += 1
          let added = (try? await program.add(rivals)) ?? 0
          if added > 0, rounds[pursuit.index, default: 0] < Self.roundLimit {
            remaining.append(program)
            continue
          }
        case nil: break
        }
        settled.append(undecided(pursuit, steps[place].position.combination))
      }
      programs = remaining
      if !settled.isEmpty { try await report(settled) }
    }
  }

  /// Beyond any that has been seen; a class that needs more stays undecided.
  private static let roundLimit = 1000

  /// Rivals that join a program in a round.
  private var rivalCount: Int { min(classes.count, max(16, min(points.width / 3, 512))) }

  /// Programs at a time: within about half a gigabyte.
  private var programLimit: Int {
    let rows = min(classes.count, 2 * points.width)
    return max(4, min(64, (1 << 29) / (40 * rows * (points.width + 1))))
  }

  private enum DirectionOutcome {
    case proven(ClassProof)
    case rivals([Int])
  }

  private struct Step: Sendable {
    let position: ClassProgram.Position
    let proven: ClassProof?
    var isDirected: Bool { position.direction.contains { $0 != 0 } && position.direction.allSatisfy(\.isFinite) }
  }

  /// Programs whose first rivals are those that lead in the directions looked at last.
  private func start(_ pursuits: [Pursuit], _ settled: inout [ClassProof]) async throws -> [ClassProgram] {
    let leaders = try await scores.leaders(pursuits.map(\.direction), count: rivalCount)
    var programs: [ClassProgram] = []
    for (pursuit, leaders) in zip(pursuits, leaders) {
      do throws(LinearProgramError) {
        let program = try ClassProgram(pursuit, points)
        _ = try await program.add(leaders)
        programs.append(program)
      } catch {
        settled.append(undecided(pursuit, nil))
      }
    }
    return programs
  }

  /// Solves all programs, and checks certificates where no margin is left.
  private func step(_ programs: [ClassProgram]) async -> [Step] {
    await withTaskGroup(of: (Int, Step).self) { group in
      for (place, program) in programs.enumerated() {
        let draft = CertificateDraft(checker)
        group.addTask {
          let position = await program.solve()
          let pursuit = program.pursuit
          guard position.margin <= 1e-6, let combination = position.combination,
            let proven = draft.proven(combination, of: pursuit.index)
          else { return (place, Step(position: position, proven: nil)) }
          return (place, Step(position: position, proven: pursuit.proof(proven)))
        }
      }
      var steps: [Int: Step] = [:]
      for await (place, step) in group { steps[place] = step }
      return programs.indices.compactMap { steps[$0] }
    }
  }

  /// For each direction the rivals that lead, or the proof if there are none.
  private func rivals(_ pursuits: [Pursuit]) async throws -> [DirectionOutcome] {
    guard !pursuits.isEmpty else { return [] }
    let leaders = try await scores.leaders(pursuits.map(\.direction), count: rivalCount)
    var outcomes = zip(pursuits, leaders).map { pursuit, leaders in
      DirectionOutcome.rivals(Array(leaders.prefix { !pursuit.isSame($0, classes) }))
    }
    let leading = outcomes.indices.filter { if case .rivals(let list) = outcomes[$0] { list.isEmpty } else { false } }
    for (place, outcome) in zip(leading, await check(leading.map { pursuits[$0] })) {
      switch outcome {
      case .proven(let proof): outcomes[place] = .proven(proof)
      case .beaten(let by): outcomes[place] = .rivals(Array(by.prefix(rivalCount)))
      }
    }
    return outcomes
  }

  /// What can be said all the same: a bound, from the program's weights or else from the nearest rival alone.
  private func undecided(_ pursuit: Pursuit, _ combination: Combination?) -> ClassProof {
    let check = CertificateCheck(checker)
    if let combination, let bound = check.bound(combination, of: pursuit.index) {
      return pursuit.undecided(combination, bound: bound)
    }
    let other = Combination(classes: [pursuit.index == 0 ? 1 : 0], weights: [1])
    return pursuit.undecided(other, bound: check.bound(other, of: pursuit.index) ?? .greatestFiniteMagnitude)
  }
}
