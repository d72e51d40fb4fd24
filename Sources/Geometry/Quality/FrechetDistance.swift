/// How far two sets of vectors are from each other, taken as normal distributions: the squared Fréchet or Wasserstein-2
/// distance (Dowson & Landau 1982; in the feature space of a network "FID", Heusel et al. 2017).
///
///     |μ₁ - μ₂|² + tr Σ₁ + tr Σ₂ - 2 tr (Σ₁^½ Σ₂ Σ₁^½)^½
///
/// Means and covariances (over n - 1) are of the sets, in Double. Fewer vectors than dimensions are no fault, but the
/// distance of small sets is biased upwards: compare sets of one size only.
public struct FrechetDistance: Sendable, Hashable {
  /// `|μ₁ - μ₂|²`
  public let means: Double
  /// What the covariances add.
  public let covariances: Double

  /// Both parts together: 0 where the moments are the same.
  public var value: Double { means + covariances }

  /// The most dimensions: beyond it, matrices of their square are no longer reasonable.
  public static let dimensionLimit = 8192

  /// The distance of two sets.
  ///
  /// - Parameters:
  ///   - samples: vectors, at least two.
  ///   - reference: others of the same dimension, at least two.
  /// - Throws: `GeometryError` if dimensions differ or are too many, there are too few vectors, or a number is not finite.
  public init(of samples: some VectorSource, to reference: some VectorSource) async throws {
    let dimension = samples.dimension
    guard dimension == reference.dimension else {
      throw GeometryError("samples have \(dimension) numbers each, those of the reference \(reference.dimension)")
    }
    guard dimension <= Self.dimensionLimit else {
      throw GeometryError(
        "a Fréchet distance of \(dimension) numbers a sample is not possible: the limit is \(Self.dimensionLimit); "
          + "use features of the samples")
    }
    let first = try await SampleMoments(of: samples, named: "samples")
    let second = try await SampleMoments(of: reference, named: "reference")
    means = zip(first.mean, second.mean).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }

    let (a, b) = (
      SymmetricMatrix(size: dimension, first.covariance), SymmetricMatrix(size: dimension, second.covariance)
    )
    let product = try a.squareRoot().sandwiching(b)
    let traces = (0..<dimension).reduce(0) { $0 + a.elements[$1 * (dimension + 1)] + b.elements[$1 * (dimension + 1)] }
    let overlap = try product.eigenvalues().reduce(0) { $0 + max(0, $1).squareRoot() }
    // What rounding leaves of 0 may be negative.
    covariances = max(0, traces - 2 * overlap)
  }
}
