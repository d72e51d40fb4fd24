public import Engine
internal import Foundation

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

/// Reads single vectors of a source, without copying them where possible.
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

extension VectorSource {
  /// The mean of all vectors, in Double.
  /// - Throws: `CancellationError`.
  package func mean() async throws -> [Double] {
    let (count, dimension) = (count, dimension)
    let sums = try await inParallel(count, blockSize: 512) { block in
      VectorReader.reading(self) { reader in
        var sums = [Double](repeating: 0, count: dimension)
        for row in block {
          reader.withVector(row) { vector in
            for channel in 0..<dimension { sums[channel] += Double(vector[channel]) }
          }
        }
        return sums
      }
    }
    return (0..<dimension).map { channel in sums.reduce(0) { $0 + $1[channel] } / Double(count) }
  }

  /// `|x - mean|` of every vector, in Double. In high dimension hubs lie near the mean.
  /// - Throws: `CancellationError`.
  public func distancesFromMean() async throws -> [Double] {
    try await distances(from: try await mean())
  }

  /// `|x - point|` of every vector, in Double.
  /// - Throws: `CancellationError`.
  package func distances(from point: [Double]) async throws -> [Double] {
    try await inParallel(count, blockSize: 512) { block in
      VectorReader.reading(self) { reader in
        block.map { row in reader.withVector(row) { squaredDistance($0, point).squareRoot() } }
      }
    }.flatMap { $0 }
  }
}

/// `|x - y|²`, summed in order.
func squaredDistance(_ x: UnsafePointer<Float>, _ y: [Double]) -> Double {
  var sum = 0.0
  for (channel, value) in y.enumerated() {
    let difference = Double(x[channel]) - value
    sum += difference * difference
  }
  return sum
}

/// Cuts `count` items into blocks and works on them on all processors.
/// - Returns: what `body` returned for each block, in order.
func inParallel<Part: Sendable>(
  _ count: Int, blockSize: Int, _ body: @escaping @Sendable (Range<Int>) throws -> Part
) async throws -> [Part] {
  let blocks = (count + blockSize - 1) / blockSize
  let workers = min(blocks, ProcessInfo.processInfo.activeProcessorCount)
  return try await withThrowingTaskGroup(of: (Int, Part).self) { group in
    func add(_ block: Int) {
      group.addTask {
        (block, try body(block * blockSize..<min(count, (block + 1) * blockSize)))
      }
    }
    for block in 0..<workers { add(block) }
    var parts: [Part?] = Array(repeating: nil, count: blocks)
    var next = workers
    while let (block, part) = try await group.next() {
      try Task.checkCancellation()
      parts[block] = part
      if next < blocks {
        add(next)
        next += 1
      }
    }
    return parts.compactMap { $0 }
  }
}

/// Data or arguments about vectors that cannot be used.
public struct GeometryError: Error, Sendable, Hashable, CustomStringConvertible {
  /// One line: what is wrong, and what would be right.
  public let message: String

  /// An error with its message.
  public init(_ message: String) { self.message = message }

  /// The message.
  public var description: String { message }
}

func require(_ condition: Bool, _ problem: @autoclosure () -> String) throws(GeometryError) {
  guard !condition else { return }
  throw GeometryError(problem())
}
