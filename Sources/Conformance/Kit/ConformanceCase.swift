package import Engine
internal import Geometry

/// One thing that every backend must do: it owns its seed, shapes, element types and tolerance.
package struct ConformanceCase: Sendable {
  /// What a case is about; the first part of its name.
  package enum Family: String, Sendable, Hashable, CaseIterable {
    case store, selection, typedSelection, dense, layerNormalization, embeddingSum, rotate, pack
    case attention, posteriorMean, denoise, pairLinks, topK, pairLoss, rowLoss, weightGradient, columnSum, optimizer
    case convolution, groupNormalization, timeEmbedding, pixelOrder
    /// A result does not depend on its neighbours, on repetition or on what runs beside it.
    case isolation
    /// Contradictory operations are refused, and nothing runs.
    case invalid
    /// Memory is counted, given back and limited.
    case memory
  }

  /// Family and title, such as `dense/gelu, 9 × 17 -> 49`; unique in the kit.
  package let name: String
  package let family: Family
  /// Small cases are tiny, and together reach every kernel and epilogue: for interpreted devices.
  package let isSmall: Bool
  private let body: @Sendable (any Backend) async throws -> Void

  /// Describes a case.
  ///
  /// - Parameters:
  ///   - family: what the case is about.
  ///   - title: what tells it from the others of its family.
  ///   - small: whether it belongs to the small run as well.
  ///   - body: throws a `Mismatch` or a `Skip`; any other error is a failure, too.
  init(
    _ family: Family, _ title: String, small: Bool = false,
    body: @escaping @Sendable (any Backend) async throws -> Void
  ) {
    name = "\(family.rawValue)/\(title)"
    self.family = family
    isSmall = small
    self.body = body
  }

  /// Runs the case on a backend that nothing else uses meanwhile.
  package func run(on backend: any Backend) async -> Outcome {
    let clock = ContinuousClock()
    let start = clock.now
    let verdict: Outcome.Verdict
    do {
      try await body(backend)
      verdict = .passed
    } catch let skip as Skip {
      verdict = .skipped(skip.reason)
    } catch {
      verdict = .failed("\(error)")
    }
    return Outcome(
      name: name, family: family, verdict: verdict, duration: start.duration(to: clock.now))
  }
}

/// What came of one case.
package struct Outcome: Sendable {
  /// The ways a case can end.
  package enum Verdict: Sendable, Hashable {
    case passed
    /// The first bad index, what was expected there, what came, and the tolerance.
    case failed(String)
    /// Why the backend cannot be asked.
    case skipped(String)
  }

  /// The case's name.
  package let name: String
  package let family: ConformanceCase.Family
  package let verdict: Verdict
  package let duration: Duration

  /// The reason of a failure; nil if there was none.
  package var failure: String? { if case .failed(let reason) = verdict { reason } else { nil } }
  /// The reason of a skip; nil if the case ran.
  package var skip: String? { if case .skipped(let reason) = verdict { reason } else { nil } }
}

/// A result that is not what it must be.
struct Mismatch: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// A case that this backend cannot be asked.
struct Skip: Error {
  let reason: String
}
