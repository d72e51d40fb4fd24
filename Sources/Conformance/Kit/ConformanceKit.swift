package import Engine

/// The tests that every backend must pass. Expected values come from plain loops in Double, written
/// here and nowhere else: the reference backend is one of the things under test.
package enum ConformanceKit {
  /// Every case, in the order in which they run.
  package static let cases: [ConformanceCase] =
    storeCases + selectionCases + selectionListCases + typedSelectionCases + denseCases
    + layerNormalizationCases + embeddingSumCases + rotateCases + packCases + attentionCases + posteriorMeanCases
    + denoiseCases + sampleCases + pairLinksCases + topKCases + mutualTopKCases + pairLossCases + rowLossCases
    + packTransposedCases + weightGradientCases + columnSumCases + optimizerCases
    + convolutionCases + groupNormalizationCases + timeEmbeddingCases + pixelOrderCases
    + isolationCases + repetitionCases + invalidCases + memoryCases

  /// The cases of a run.
  ///
  /// - Parameters:
  ///   - small: only those that an interpreter can run.
  ///   - filter: only the one of this name, or those whose name contains this text.
  /// - Returns: the cases, in the order in which they run.
  package static func cases(small: Bool, filter: String? = nil) -> [ConformanceCase] {
    let sized = cases.filter { !small || $0.isSmall }
    guard let filter else { return sized }
    let named = sized.filter { $0.name == filter }
    return named.isEmpty ? sized.filter { $0.name.contains(filter) } : named
  }

  /// Runs the kit, one case after the other. Nothing else may use the backend meanwhile: some cases
  /// count its memory.
  ///
  /// - Parameters:
  ///   - backend: what is tested.
  ///   - small: run only the tiny cases, which still reach every kernel and epilogue.
  ///   - filter: run only the case of this name, or those whose name contains this text.
  ///   - progress: called after each case with the number done, the number to do, and the outcome.
  /// - Returns: an outcome for each case, in order.
  package static func run(
    on backend: any Backend, small: Bool = false, filter: String? = nil,
    progress: (@Sendable (_ done: Int, _ total: Int, _ outcome: Outcome) -> Void)? = nil
  ) async -> [Outcome] {
    let chosen = cases(small: small, filter: filter)
    var outcomes: [Outcome] = []
    for item in chosen {
      let outcome = await item.run(on: backend)
      outcomes.append(outcome)
      progress?(outcomes.count, chosen.count, outcome)
    }
    return outcomes
  }
}
