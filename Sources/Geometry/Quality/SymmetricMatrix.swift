internal import CLAPACKE

/// A real symmetric matrix, row after row. LAPACK finds what it is made of.
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

  /// `self · other · self`, with what rounding leaves of asymmetry taken out.
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
