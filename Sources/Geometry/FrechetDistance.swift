internal import CLAPACKE

/// How far two sets of vectors are from each other, taken as normal distributions: the squared Fréchet or Wasserstein-2
/// distance (Dowson & Landau 1982; in the feature space of a network "FID", Heusel et al. 2017).
///
///     |μ₁ - μ₂|² + tr Σ₁ + tr Σ₂ - 2 tr (Σ₁^½ Σ₂ Σ₁^½)^½
///
/// Means and covariances (over n - 1) are of the sets, in Double. Fewer vectors than dimensions are allowed, but
/// the distance of small sets is biased upwards: compare sets of one size only.
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

/// Mean and covariance of some vectors, in Double.
///
///     mean = Σ x / n          covariance = Σ (x - mean)(x - mean)ᵀ / (n - 1)
///
/// Sums run over the vectors in their order, and each task computes a strip of the covariance's columns: the bits do
/// not depend on the number of processors.
struct SampleMoments: Sendable {
  let count: Int
  let mean: [Double]
  /// `[d, d]`, symmetric.
  let covariance: [Double]

  private static let blockSize = 512
  private static let stripWidth = 64

  /// - Throws: `GeometryError` if there are fewer than two vectors, or a number is not finite.
  init(of source: some VectorSource, named name: String) async throws {
    let (count, dimension) = (source.count, source.dimension)
    guard count > 1 else { throw GeometryError("\(name): one vector alone has no covariance; at least two are needed") }
    let mean = try await source.mean()
    // A sum of float32 numbers is finite in Double if all of them are.
    if mean.contains(where: { !$0.isFinite }) {
      let row = try (0..<count).first { try source.floats($0..<$0 + 1).contains { !$0.isFinite } } ?? 0
      throw GeometryError("\(name): vector \(row) holds a number that is not finite")
    }

    let strips = try await inParallel(dimension, blockSize: Self.stripWidth) { columns in
      var strip = [Double](repeating: 0, count: columns.count * dimension)
      for first in stride(from: 0, to: count, by: Self.blockSize) {
        let rows = first..<min(count, first + Self.blockSize)
        let centred = Self.centred(try source.floats(rows), mean)
        centred.withUnsafeBufferPointer { centred in
          guard let all = centred.baseAddress else { return }
          // strip += centred[:, columns]ᵀ · centred
          cblas_dgemm(
            CblasRowMajor, CblasTrans, CblasNoTrans, Int32(columns.count), Int32(dimension), Int32(rows.count), 1,
            all + columns.lowerBound, Int32(dimension), all, Int32(dimension), 1, &strip, Int32(dimension))
        }
      }
      return strip
    }
    self.count = count
    self.mean = mean
    covariance = strips.flatMap { $0 }.map { $0 / Double(count - 1) }
  }

  private static func centred(_ floats: [Float], _ mean: [Double]) -> [Double] {
    [Double](unsafeUninitializedCapacity: floats.count) { values, count in
      for place in floats.indices {
        values.initializeElement(at: place, to: Double(floats[place]) - mean[place % mean.count])
      }
      count = floats.count
    }
  }
}

/// A real symmetric matrix, row after row, with LAPACK's decompositions.
struct SymmetricMatrix: Sendable {
  let size: Int
  let elements: [Double]

  init(size: Int, _ elements: [Double]) {
    precondition(elements.count == size * size)
    self.size = size
    self.elements = elements
  }

  /// The eigenvalues, ascending.
  /// - Throws: `GeometryError` if the iteration does not converge.
  func eigenvalues() throws(GeometryError) -> [Double] { try decomposed(vectors: false).values }

  /// The square root of a matrix without negative eigenvalues; those that rounding has made negative count as 0.
  /// - Throws: `GeometryError` if the iteration does not converge.
  func squareRoot() throws(GeometryError) -> SymmetricMatrix {
    let (values, vectors) = try decomposed(vectors: true)
    // Row k is the k-th eigenvector; √(λ_k) in halves on both sides keeps the result symmetric.
    let roots = values.map { max(0, $0).squareRoot().squareRoot() }
    let scaled = vectors.enumerated().map { $1 * roots[$0 / size] }
    var root = [Double](repeating: 0, count: size * size)
    cblas_dgemm(
      CblasRowMajor, CblasTrans, CblasNoTrans, Int32(size), Int32(size), Int32(size), 1, scaled, Int32(size), scaled,
      Int32(size), 0, &root, Int32(size))
    return SymmetricMatrix(size: size, root)
  }

  /// `self · other · self`, made symmetric where rounding left it not quite so.
  func sandwiching(_ other: SymmetricMatrix) -> SymmetricMatrix {
    let product = times(times(elements, other.elements), elements)
    var symmetric = product
    for row in 0..<size {
      for column in 0..<size {
        symmetric[row * size + column] = (product[row * size + column] + product[column * size + row]) / 2
      }
    }
    return SymmetricMatrix(size: size, symmetric)
  }

  private func times(_ a: [Double], _ b: [Double]) -> [Double] {
    var product = [Double](repeating: 0, count: size * size)
    let n = Int32(size)
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, a, n, b, n, 0, &product, n)
    return product
  }

  /// Eigenvalues, ascending, and with them the eigenvectors, one a row.
  private func decomposed(vectors: Bool) throws(GeometryError) -> (values: [Double], vectors: [Double]) {
    var matrix = elements
    var values = [Double](repeating: 0, count: size)
    // By columns, as LAPACK stores it: a symmetric matrix is the same, and its eigenvectors come as rows.
    let status = LAPACKE_dsyevd(
      LAPACK_COL_MAJOR, vectors ? 0x56 /* V */ : 0x4E /* N */, 0x55 /* U */, Int32(size), &matrix, Int32(size), &values)
    guard status == 0 else {
      throw GeometryError("the eigenvalues of a matrix of \(size) rows were not found (LAPACK's status \(status))")
    }
    return (values, vectors ? matrix : [])
  }
}
