import CPUBackend
import Engine
import Geometry
import Logging
import Synchronization
import Testing

/// The best columns as users ask for them.
@Suite struct BestColumnsTests {
  private func engine(_ backend: TestBackend) throws -> Engine {
    Engine(backend: try backend.open(), logger: Logger(label: "test"))
  }

  /// Four points of the plane, by hand: (1, 0), (0, 1), (1, 1), (-1, 0).
  @Test(arguments: [TestBackend.reference] + TestBackend.devices)
  func bestOfFour(_ backend: TestBackend) async throws {
    let engine = try engine(backend)
    let points = try Vectors([1, 0, 0, 1, 1, 1, -1, 0], dimension: 2)
    let plain = try await engine.topK(rows: points, columns: points, k: 2)
    #expect(plain.indices == [0, 2, 1, 2, 2, 0, 3, 1])
    #expect(plain.values == [1, 1, 1, 1, 2, 1, 1, 0])
    #expect(plain.rowCount == 4)
    let others = try await engine.topK(
      rows: points, columns: points, k: 1, scale: 2, bias: [0, 0.5, -3, 0], excluding: [0, -1, 2, 3])
    #expect(others.indices == [1, 1, 1, 1])
    #expect(others.values == [0.5, 2.5, 2.5, 0.5])
  }

  /// The same points' distances, by hand, and those to a point far away.
  @Test(arguments: [TestBackend.reference] + TestBackend.devices)
  func distancesOfFour(_ backend: TestBackend) async throws {
    let points = try Vectors([1, 0, 0, 1, 1, 1, -1, 0], dimension: 2)
    let others = try Vectors([1, 0, 3, 4], dimension: 2)
    let engine = try engine(backend)
    let found = try await engine.distances(rows: points, columns: others)
    let squares: [Float] = [0, 20, 2, 18, 1, 13, 4, 32]
    #expect(found.count == squares.count)
    for (distance, square) in zip(found, squares) { #expect(abs(distance - square.squareRoot()) <= 1e-6) }
    let flat = try Vectors([1, 2, 3], dimension: 3)
    await #expect(throws: EngineError.self) { _ = try await engine.distances(rows: points, columns: flat) }
  }

  /// More rows than one pass has room for give what a few give.
  @Test(.needsDevice, arguments: TestBackend.devices.prefix(1))
  func passesDoNotMatter(_ backend: TestBackend) async throws {
    let engine = try engine(backend)
    var generator = SplitMix64(seed: 8)
    func draw(_ count: Int) throws -> Vectors {
      try Vectors((0..<2 * count).map { _ in Float(generator.next() % 1000) }, dimension: 2)
    }
    let (rows, columns) = (try draw(9000), try draw(1100))
    let all = try await engine.topK(rows: rows, columns: columns, k: 1024)
    for row in [0, 17, 4095, 8999] {
      let one = try Vectors(Array(rows.elements[2 * row..<2 * row + 2]), dimension: 2)
      let alone = try await engine.topK(rows: one, columns: columns, k: 1024)
      #expect(alone.indices[...] == all.indices[row * 1024..<(row + 1) * 1024])
      #expect(alone.values[...] == all.values[row * 1024..<(row + 1) * 1024])
    }
  }

  /// Vectors find the same among themselves, in however many parts, as rows do among columns.
  @Test(arguments: [TestBackend.reference] + TestBackend.devices, [1, 3])
  func vectorsAmongThemselves(_ backend: TestBackend, parts: Int) async throws {
    let engine = try engine(backend)
    var generator = SplitMix64(seed: 9)
    let points = try Vectors((0..<3 * 500).map { _ in Float(generator.next() % 100) / 7 }, dimension: 3)
    let terms = (0..<500).map { _ in -Float(generator.next() % 100) }
    let done = Mutex<[Double]>([])
    let shared = try await engine.symmetricTopK(points, terms: terms, k: 9, parts: parts) { part in
      done.withLock { $0.append(part) }
    }
    #expect(shared == (try await engine.topK(rows: points, columns: points, k: 9, bias: terms)))
    #expect(done.withLock { $0 } == (1...parts).map { Double($0) / Double(parts) })
  }

  /// A few vectors leave a device idle that way, and very many lists do not fit: rows are taken as usual then.
  @Test(.needsDevice, arguments: TestBackend.devices.prefix(1))
  func fewVectorsOrLongListsGoTheUsualWay(_ backend: TestBackend) async throws {
    let engine = try engine(backend)
    func zeros(_ count: Int) throws -> Vectors { try Vectors([Float](repeating: 0, count: count), dimension: 1) }
    #expect(try await engine.topK(ofThemselves: try zeros(100), terms: .init(repeating: 0, count: 100), k: 1) == nil)
    let many = try zeros(10_000)
    #expect(try await engine.topK(ofThemselves: many, terms: .init(repeating: 0, count: 10_000), k: 4096) == nil)
  }

  struct BadCall: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let says: String
    var rows: [Float] = [1, 2, 3, 4]
    var dimension = 2
    var columns: [Float] = [1, 2, 3, 4, 5, 6]
    var k = 1
    var scale: Float = 1
    var bias: [Float]?
    var excluded: [Int]?
  }

  static let badCalls = [
    BadCall(testDescription: "no k", says: "at least 1", k: 0),
    BadCall(testDescription: "more than there are", says: "3 columns to choose from", k: 4),
    BadCall(testDescription: "as many as there are, itself excluded", says: "2 columns", k: 3, excluded: [0, 1]),
    BadCall(testDescription: "excluded columns missing", says: "1 excluded columns for 2 rows", excluded: [0]),
    BadCall(testDescription: "dimensions differ", says: "rows have dimension 4, columns 2", dimension: 4),
    BadCall(testDescription: "a row is not a number", says: "not finite", rows: [1, .nan, 0, 0]),
    BadCall(testDescription: "a column is infinite", says: "not finite", columns: [1, 2, -.infinity, 0]),
    BadCall(testDescription: "a bias is not a number", says: "not finite", bias: [0, .nan, 0]),
    BadCall(testDescription: "a bias is missing", says: "2 terms for 3 columns", bias: [0, 1]),
    BadCall(testDescription: "the scale is infinite", says: "not finite", scale: .infinity),
    BadCall(testDescription: "products overflow", says: "could overflow", rows: [3e20, 0, 0, 1], columns: [3e20, 1]),
  ]

  @Test(arguments: badCalls) func contradictionsAreRefused(_ bad: BadCall) async throws {
    let engine = try engine(.reference)
    let error = await #expect(throws: EngineError.self) {
      _ = try await engine.topK(
        rows: try Vectors(bad.rows, dimension: bad.dimension), columns: try Vectors(bad.columns, dimension: 2),
        k: bad.k, scale: bad.scale, bias: bad.bias, excluding: bad.excluded)
    }
    #expect(error?.kind == .invalidOperation)
    #expect(error?.message.contains(bad.says) == true, "\(error?.message ?? "no message")")
  }
}
