internal import CPUBackend
public import Engine
internal import Logging

/// What a case is about: the first part of its name. Whoever adds an operation names a family of their own.
public struct ConformanceFamily: Sendable, Hashable, ExpressibleByStringLiteral {
  /// The name, such as `dense`.
  public let name: String

  /// A family of this name.
  public init(stringLiteral name: String) { self.name = name }
}

/// One thing that a device must do: it owns its seed, shapes, element types and tolerance.
///
/// Most cases stage an operation on inputs and name its outputs; the kit stages them on the device and on the reference
/// backend, and compares:
///
/// ```swift
/// ConformanceCase("square", "3 rows", small: true, within: Tolerance(absolute: 1e-6)) { workspace in
///   let x = try workspace.upload([1, 2, 3], 3, 1)
///   let out = try workspace.output(3, 1)
///   try workspace.append(Square(of: x, into: out))
///   return [out]
/// }
/// ```
public struct ConformanceCase: Sendable {
  /// Family and title, such as `dense/gelu, 9 × 17 -> 49`; unique in a run.
  public let name: String
  /// What it is about.
  public let family: ConformanceFamily
  /// Small cases are tiny, and together reach every kernel and epilogue: for interpreted devices.
  public let isSmall: Bool
  private let body: @Sendable (Engine) async throws -> Void

  /// A case that compares what a device leaves in tensors with what the operations' references leave there.
  ///
  /// Floats must be within the tolerance and integers equal. What the reference did not write must not be written on the
  /// device either, the guard behind each output included (``Workspace/output(_:)``).
  ///
  /// - Parameters:
  ///   - family: what the case is about.
  ///   - title: what tells it from the others of its family.
  ///   - small: whether it belongs to the small run as well.
  ///   - tolerance: how far floats may be from the reference's.
  ///   - stage: makes inputs and outputs and adds the operations, the same on every device; returns the outputs. An error
  ///     that it throws is a failure.
  public init(
    _ family: ConformanceFamily, _ title: String, small: Bool = false, within tolerance: Tolerance,
    stage: @escaping @Sendable (inout Workspace) async throws -> [Tensor]
  ) {
    self.init(family, title, small: small) { engine in
      try await compareWithReference(engine) { workspace in
        try await stage(&workspace).map { ComparedOutput($0, within: tolerance) }
      }
    }
  }

  /// A case with a claim of its own, such as a result that is known by hand.
  ///
  /// - Parameters:
  ///   - family: what the case is about.
  ///   - title: what tells it from the others of its family.
  ///   - small: whether it belongs to the small run as well.
  ///   - body: throws a ``Mismatch`` or a ``Skip``; any other error is a failure, too.
  public init(
    _ family: ConformanceFamily, _ title: String, small: Bool = false,
    body: @escaping @Sendable (Engine) async throws -> Void
  ) {
    name = "\(family.name)/\(title)"
    self.family = family
    isSmall = small
    self.body = body
  }

  /// Runs the case on an engine that nothing else uses meanwhile.
  /// - Returns: what came of it; an error is a failure.
  public func run(on engine: Engine) async -> Outcome {
    let clock = ContinuousClock()
    let start = clock.now
    let verdict: Outcome.Verdict
    do {
      try await body(engine)
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

extension Engine {
  /// A reference backend of its own.
  static var reference: Engine { Engine(backend: CPUBackend(), logger: Logger(label: "conformance")) }
}

/// An output with what it may differ by.
struct ComparedOutput {
  let tensor: Tensor
  let tolerance: Tolerance
  let label: String

  init(_ tensor: Tensor, within tolerance: Tolerance, _ label: String = "element") {
    self.tensor = tensor
    self.tolerance = tolerance
    self.label = label
  }
}

/// Stages the same work on an engine and on the reference, and compares the outputs, guards included.
///
/// - Parameters:
///   - engine: what is tested.
///   - comparesPanels: whether outputs are panels: the reference then packs as wide as the engine does.
///   - stage: adds the work; returns the outputs.
/// - Returns: what the engine computed, in the order of the outputs.
/// - Throws: ``Mismatch``, or what `stage` and the engine throw.
@discardableResult
func compareWithReference(
  _ engine: Engine, comparesPanels: Bool = false, _ stage: (inout Workspace) async throws -> [ComparedOutput]
) async throws -> [HostArray] {
  var workspace = Workspace(engine)
  let outputs = try await stage(&workspace)
  let results = try await workspace.run(reading: outputs.map(\.tensor))
  var definition = Workspace(.reference, panelWidth: comparesPanels ? engine.panelWidth : nil)
  let expected = try await definition.run(reading: try await stage(&definition).map(\.tensor))
  for (index, output) in outputs.enumerated() {
    try compare(
      results[index], with: expected[index], shape: output.tensor.shape, within: output.tolerance, output.label)
  }
  return results
}

/// What came of one case.
public struct Outcome: Sendable {
  /// The ways a case can end.
  public enum Verdict: Sendable, Hashable {
    /// Everything is as it must be.
    case passed
    /// The first bad index, what was expected there, what came, and the tolerance.
    case failed(String)
    /// Why the device cannot be asked.
    case skipped(String)
  }

  /// The case's name.
  public let name: String
  /// The case's family.
  public let family: ConformanceFamily
  /// How it ended.
  public let verdict: Verdict
  /// How long it took.
  public let duration: Duration

  /// The reason of a failure; nil if there was none.
  public var failure: String? { if case .failed(let reason) = verdict { reason } else { nil } }
  /// The reason of a skip; nil if the case ran.
  public var skip: String? { if case .skipped(let reason) = verdict { reason } else { nil } }
}

/// A result that is not what it must be.
public struct Mismatch: Error, CustomStringConvertible {
  /// Where, what was expected, and what came.
  public let description: String

  /// A mismatch that is described so.
  public init(_ description: String) { self.description = description }
}

/// Thrown by a case that this device cannot be asked.
public struct Skip: Error {
  /// Why.
  public let reason: String

  /// A skip for this reason.
  public init(reason: String) { self.reason = reason }
}
