public import Engine
internal import Foundation
internal import ModelFiles

/// Vectors of one dimension that are read a few at a time: in memory, or in a file that need not fit there.
public protocol VectorSource: Sendable {
  /// How many vectors.
  var count: Int { get }
  /// Elements of a vector.
  var dimension: Int { get }

  /// Some vectors, row after row; the same each time.
  /// - Throws: an error if they cannot be read.
  func floats(_ range: Range<Int>) throws -> [Float]

  /// Calls `body` with all elements, row after row, if they lie in memory like that; else returns nil.
  func withFloatsIfAvailable<Result>(_ body: (UnsafeBufferPointer<Float>) throws -> Result) rethrows -> Result?
}

extension VectorSource {
  /// Nil, for sources whose vectors do not lie in memory.
  public func withFloatsIfAvailable<Result>(
    _ body: (UnsafeBufferPointer<Float>) throws -> Result
  ) rethrows -> Result? { nil }
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

/// Reads vectors of a source, without copying them where they lie in memory.
struct VectorReader {
  let source: any VectorSource
  /// The first element, where all lie in memory.
  let base: UnsafePointer<Float>?

  /// Elements that are copied at a time when vectors are read one after the other.
  private static let copiedElements = 1 << 16

  /// Calls `body` with a reader that is valid during the call.
  static func reading<Result>(_ source: some VectorSource, _ body: (VectorReader) throws -> Result) throws -> Result {
    let direct = try source.withFloatsIfAvailable { floats in
      try body(VectorReader(source: source, base: floats.baseAddress))
    }
    if let direct { return direct }
    return try body(VectorReader(source: source, base: nil))
  }

  /// Calls `body` with the elements of vector `index`.
  func withVector<Result>(_ index: Int, _ body: (UnsafePointer<Float>) throws -> Result) throws -> Result {
    if let base { return try body(base + index * source.dimension) }
    return try body(source.floats(index..<index + 1))
  }

  /// Calls `body` with each vector of a range and its number, in order.
  func forEach(in range: Range<Int>, _ body: (Int, UnsafePointer<Float>) throws -> Void) throws {
    let dimension = source.dimension
    if let base {
      for index in range { try body(index, base + index * dimension) }
      return
    }
    let size = max(1, Self.copiedElements / dimension)
    for first in stride(from: range.lowerBound, to: range.upperBound, by: size) {
      let part = first..<min(range.upperBound, first + size)
      try source.floats(part).withUnsafeBufferPointer { copies in
        guard let base = copies.baseAddress else { return }
        for index in part { try body(index, base + (index - first) * dimension) }
      }
    }
  }

  /// Calls `body` with the elements of some vectors, in their order.
  func withVectors<Result>(
    _ indices: some Collection<Int32>, _ body: ([UnsafePointer<Float>]) throws -> Result
  ) throws -> Result {
    let dimension = source.dimension
    if let base { return try body(indices.map { base + Int($0) * dimension }) }
    let copies = try copies(of: indices)
    return try copies.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return try body([]) }
      return try body((0..<indices.count).map { base + $0 * dimension })
    }
  }

  /// Vectors that follow one another in the source are read together.
  private func copies(of indices: some Collection<Int32>) throws -> [Float] {
    var copies: [Float] = []
    var runs: [Range<Int>] = []
    for index in indices {
      if let last = runs.last, last.upperBound == Int(index) {
        runs[runs.count - 1] = last.lowerBound..<Int(index) + 1
      } else {
        runs.append(Int(index)..<Int(index) + 1)
      }
    }
    if runs.count == 1, let run = runs.first { return try source.floats(run) }
    copies.reserveCapacity(indices.count * source.dimension)
    for run in runs { copies += try source.floats(run) }
    return copies
  }
}

extension VectorSource {
  /// The mean of all vectors, in Double.
  /// - Throws: `CancellationError`, or the source's error.
  package func mean() async throws -> [Double] {
    let (count, dimension) = (count, dimension)
    let sums = try await inParallel(count, blockSize: 512) { block in
      try VectorReader.reading(self) { reader in
        var sums = [Double](repeating: 0, count: dimension)
        try reader.forEach(in: block) { _, vector in
          for channel in 0..<dimension { sums[channel] += Double(vector[channel]) }
        }
        return sums
      }
    }
    return (0..<dimension).map { channel in sums.reduce(0) { $0 + $1[channel] } / Double(count) }
  }

  /// `|x - mean|` of every vector, in Double. In high dimension hubs lie near the mean.
  /// - Throws: `CancellationError`, or the source's error.
  public func distancesFromMean() async throws -> [Double] {
    try await distances(from: try await mean())
  }

  /// `|x - point|` of every vector, in Double.
  /// - Throws: `CancellationError`, or the source's error.
  package func distances(from point: [Double]) async throws -> [Double] {
    try await inParallel(count, blockSize: 512) { block in
      try VectorReader.reading(self) { reader in
        var distances: [Double] = []
        try reader.forEach(in: block) { distances.append(squaredDistance($1, point).squareRoot()) }
        return distances
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

  /// The message on one line, control characters escaped.
  public var description: String { message.printable }
}

func require(_ condition: Bool, _ problem: @autoclosure () -> String) throws(GeometryError) {
  guard !condition else { return }
  throw GeometryError(problem())
}
