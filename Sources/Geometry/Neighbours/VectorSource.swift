public import Engine

/// Vectors of one dimension that are read a few at a time: in memory, or in a file that need not fit there.
public protocol VectorSource: Sendable {
  /// How many vectors.
  var count: Int { get }
  /// Elements of a vector.
  var dimension: Int { get }

  /// Some vectors, row after row.
  func floats(_ range: Range<Int>) -> [Float]

  /// Calls `body` with all elements, row after row, if they lie in memory like that; else returns nil.
  func withFloatsIfAvailable<Result>(_ body: (UnsafeBufferPointer<Float>) throws -> Result) rethrows -> Result?
}

extension Vectors: VectorSource {
  /// Some vectors, row after row.
  public func floats(_ range: Range<Int>) -> [Float] {
    Array(elements[range.lowerBound * dimension..<range.upperBound * dimension])
  }

  /// Calls `body` with all elements.
  public func withFloatsIfAvailable<Result>(
    _ body: (UnsafeBufferPointer<Float>) throws -> Result
  ) rethrows -> Result? {
    try elements.withUnsafeBufferPointer(body)
  }
}

/// Reads single vectors of a source, without copying where that can be.
struct VectorReader {
  private let source: any VectorSource
  private let base: UnsafePointer<Float>?

  /// Calls `body` with a reader that is valid during the call.
  static func reading<Result>(_ source: some VectorSource, _ body: (VectorReader) throws -> Result) rethrows -> Result {
    let direct = try source.withFloatsIfAvailable { floats in
      try body(VectorReader(source: source, base: floats.baseAddress))
    }
    if let direct { return direct }
    return try body(VectorReader(source: source, base: nil))
  }

  /// Calls `body` with the elements of vector `index`.
  func withVector<Result>(_ index: Int, _ body: (UnsafePointer<Float>) throws -> Result) rethrows -> Result {
    if let base { return try body(base + index * source.dimension) }
    return try body(source.floats(index..<index + 1))
  }

  /// Calls `body` with the elements of some vectors, in their order.
  func withVectors<Result>(_ indices: [Int32], _ body: ([UnsafePointer<Float>]) -> Result) -> Result {
    let dimension = source.dimension
    if let base { return body(indices.map { base + Int($0) * dimension }) }
    let copies = indices.flatMap { source.floats(Int($0)..<Int($0) + 1) }
    return withExtendedLifetime(copies) {
      copies.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return body([]) }
        return body(indices.indices.map { base + $0 * dimension })
      }
    }
  }
}
