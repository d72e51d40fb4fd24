import Engine
import Testing

@testable import Geometry

/// Sets of every kind, of the sizes that tiles and chunks of columns begin and end at.
@Suite struct NeighbourSizesTests {
  enum Kind: CaseIterable, Sendable {
    case random
    case duplicates
    case digits
    case nearDuplicates

    func vectors(_ count: Int) throws -> (elements: [Float], dimension: Int) {
      switch self {
      case .random: (Draws.gaussian(count, 6, seed: UInt64(count)), 6)
      case .duplicates: (Draws.copies(of: max(1, count / 12), count, 6, seed: UInt64(count)), 6)
      case .digits: (Array(try Digits.vectors().prefix(count * 64)), 64)
      // Narrower than float32 can tell apart where they are.
      case .nearDuplicates: (Draws.copies(of: 9, count, 6, spread: 1e-3, seed: UInt64(count)), 6)
      }
    }
  }

  @Test(arguments: Kind.allCases, [1, 2, 255, 256, 257, 512, 1000])
  func neighboursAreThoseOfADoubleBruteForce(kind: Kind, count: Int) async throws {
    let (vectors, dimension) = try kind.vectors(count)
    let queries = Array(try kind.vectors(30).elements.suffix(20 * dimension))
    for metric in Metric.allCases {
      try await expectNeighbours(of: queries, among: vectors, dimension: dimension, k: min(10, count), metric)
      // One alone has no others.
      guard count > 1 else { continue }
      try await expectNeighbours(of: vectors, dimension: dimension, k: min(10, count - 1), metric)
    }
  }
}
