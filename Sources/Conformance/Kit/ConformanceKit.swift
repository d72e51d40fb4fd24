public import Engine
internal import Logging

/// The tests that every device must pass: cases compare what kernels compute with the operations' references.
public enum ConformanceKit {
  /// Weft's own cases, in the order in which they run: one list an operation, then what concerns all of them.
  public static let cases: [ConformanceCase] = [
    storedScoresCases,
    storedDistancesCases,
    rowSquaresCases,
    cellSelectionCases,
    typedSelectionCases,
    denseCases,
    layerNormalizationCases,
    embeddingSumCases,
    rotateCases,
    packCases,
    attentionCases,
    posteriorMeanCases,
    denoiseCases,
    sampleCases,
    pairLinksCases,
    topKCases,
    symmetricTopKCases,
    pairLossCases,
    rowLossCases,
    packTransposedCases,
    weightGradientCases,
    columnSumCases,
    optimizerCases,
    convolutionCases,
    groupNormalizationCases,
    timeEmbeddingCases,
    pixelOrderCases,
    precisionCases,
    isolationCases,
    repetitionCases,
    invalidCases,
    memoryCases,
  ].flatMap { $0 }

  /// Runs cases one after the other. Nothing else may use the engine meanwhile: some cases count its memory.
  ///
  /// - Parameters:
  ///   - cases: what is run; Weft's own if not given.
  ///   - engine: what is tested.
  ///   - small: run only the tiny cases, which still reach every kernel and epilogue.
  ///   - filter: run only the case of this name, or those whose name contains this text.
  ///   - progress: called after each case with the number done, the number to do, and the outcome.
  /// - Returns: an outcome for each case, in order.
  public static func run(
    _ cases: [ConformanceCase] = cases, on engine: Engine, small: Bool = false, filter: String? = nil,
    progress: (@Sendable (_ done: Int, _ total: Int, _ outcome: Outcome) -> Void)? = nil
  ) async -> [Outcome] {
    let chosen = cases.chosen(small: small, filter: filter)
    var outcomes: [Outcome] = []
    for item in chosen {
      let outcome = await item.run(on: engine)
      outcomes.append(outcome)
      progress?(outcomes.count, chosen.count, outcome)
    }
    return outcomes
  }

  /// Runs Weft's own cases on a backend.
  package static func run(on backend: any Backend, small: Bool = false, filter: String? = nil) async -> [Outcome] {
    await run(on: Engine(backend: backend, logger: Logger(label: "conformance")), small: small, filter: filter)
  }
}

extension [ConformanceCase] {
  /// The cases of a run, in the order in which they run.
  ///
  /// - Parameters:
  ///   - small: only those that an interpreter can run.
  ///   - filter: only the one of this name, or those whose name contains this text.
  /// - Returns: the cases.
  public func chosen(small: Bool, filter: String? = nil) -> [ConformanceCase] {
    let sized = self.filter { !small || $0.isSmall }
    guard let filter else { return sized }
    let named = sized.filter { $0.name == filter }
    return named.isEmpty ? sized.filter { $0.name.contains(filter) } : named
  }
}

extension ConformanceFamily {
  /// A result does not depend on its neighbours, on repetition or on what runs beside it.
  static let isolation: ConformanceFamily = "isolation"
  /// Contradictory operations are refused, and nothing runs.
  static let invalid: ConformanceFamily = "invalid"
  /// Memory is counted, given back and limited.
  static let memory: ConformanceFamily = "memory"
}
