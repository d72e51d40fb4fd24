public import Engine

/// How much of some samples a reference set could have produced, and how much of the reference the samples cover
/// (Kynkäänniemi et al., "Improved precision and recall metric for assessing generative models", 2019).
///
/// A set's manifold is all that lies within a ball around one of its vectors that reaches to its k-th neighbour.
/// Precision is the share of samples in the manifold of the reference, recall that of the reference in the manifold of the
/// samples. A point on the rim counts as inside. Membership is decided by distances in Double.
public struct PrecisionAndRecall: Sendable, Hashable {
  /// Samples that lie in the reference's manifold.
  public let preciseSamples: Int
  /// How many samples.
  public let sampleCount: Int
  /// Vectors of the reference that lie in the samples' manifold.
  public let recalledReferences: Int
  /// How many vectors the reference has.
  public let referenceCount: Int
  /// Neighbours that a ball reaches to.
  public let k: Int

  /// The share of samples that the reference could have produced.
  public var precision: Double { Double(preciseSamples) / Double(sampleCount) }
  /// The share of the reference that the samples cover.
  public var recall: Double { Double(recalledReferences) / Double(referenceCount) }
}

extension Engine {
  /// Precision and recall of samples: exact, without a matrix of distances.
  ///
  /// - Parameters:
  ///   - samples: vectors, more than `k`.
  ///   - reference: what they should be like; others of the same dimension, more than `k`.
  ///   - k: neighbours that a ball reaches to; 3 is usual.
  ///   - options: what changes speed and memory, never results.
  /// - Returns: how many of each lie in the other's manifold.
  /// - Throws: `GeometryError` if `k` or dimensions do not fit, or a vector cannot be used; `EngineError` if the device
  ///   fails.
  public func precisionAndRecall(
    of samples: some VectorSource, reference: some VectorSource, k: Int = 3,
    options: NeighbourOptions = NeighbourOptions()
  ) async throws -> PrecisionAndRecall {
    let referenceManifold = try await NeighbourManifold(of: reference, k: k, options: options, on: self)
    let sampleManifold = try await NeighbourManifold(of: samples, k: k, options: options, on: self)
    let precise = try await referenceManifold.members(of: samples).count { $0 }
    let recalled = try await sampleManifold.members(of: reference).count { $0 }
    return PrecisionAndRecall(
      preciseSamples: precise, sampleCount: samples.count, recalledReferences: recalled,
      referenceCount: reference.count, k: k)
  }
}
