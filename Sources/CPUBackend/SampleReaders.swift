internal import Engine

/// Reads a sample's row of coefficients.
struct CoefficientReader {
  private let rows: CoefficientRows
  private let elements: UnsafeMutableBufferPointer<Float>

  init(_ rows: CoefficientRows) throws(EngineError) {
    self.rows = rows
    elements = try CPUBackend.floats(rows.table)
  }

  func row(of sample: Int) -> (CoefficientColumn) -> Double {
    let start = (rows.first + sample * rows.stride) * CoefficientRow.width
    return { Double(elements[start + $0.rawValue]) }
  }
}

/// Draws a sample's noise.
struct NoiseReader {
  private let source: NoiseSource
  private let identities: UnsafeMutableBufferPointer<Int32>

  init(_ source: NoiseSource) throws(EngineError) {
    self.source = source
    identities = try CPUBackend.integers(source.identities)
  }

  func normal(_ sample: Int, _ element: Int) -> Double {
    let key = (UInt32(bitPattern: identities[4 * sample]), UInt32(bitPattern: identities[4 * sample + 1]))
    let four = Philox.normals(
      counter: UInt32(element / 4), step: UInt32(source.step), sample: UInt32(bitPattern: identities[4 * sample + 2]),
      stream: UInt32(source.stream.rawValue), key: key)
    return Double(four[element % 4])
  }
}
