import Logging
import Synchronization
import Testing

@testable import Engine
@testable import TokenPairs

/// `Engine.cells` against a backend that answers from a script.
@Suite struct CellQueryTests {
  @Test(arguments: [0, 1, 5, 8]) func aListWithRoomIsReadInOnePass(count: Int) async throws {
    let backend = ScriptedBackend(cells: count)
    let cells = try await backend.cells(capacity: 8)
    #expect(cells == backend.expected)
    #expect(backend.passes == [.init(capacity: 8, operations: 2)])
  }

  @Test func aListThatOverflowsIsReadAgainWithRoomForAll() async throws {
    let backend = ScriptedBackend(cells: 9)
    let cells = try await backend.cells(capacity: 8)
    #expect(cells == backend.expected)
    // The second pass repeats the product alone, not what made its inputs.
    #expect(backend.passes == [.init(capacity: 8, operations: 2), .init(capacity: 9, operations: 1)])
  }

  @Test func aCapacityOfNothingIsAllowed() async throws {
    let backend = ScriptedBackend(cells: 40)
    #expect(try await backend.cells(capacity: 0) == backend.expected)
    #expect(backend.passes.map(\.capacity) == [1, 40])
  }

  /// The second segment has five cells where three may stay; two share the score of the first too many.
  @Test(arguments: [1, 4, 100]) func aCrowdedSegmentKeepsItsStrongest(capacity: Int) async throws {
    let backend = ScriptedBackend(scores: [[-7, 2], [4, 0.5, 9, 0.5, 0.25], [], [-0.0, 0x1p-140, 3e38]])
    let found = try await backend.find(segments: 4, limit: 3, capacity: capacity)
    let kept = backend.expected.filter { $0.matrix != 1 || $0.score > 0.5 }
    #expect(found.cells == kept && found.truncatedSegments == [1])
    // Room for all was enough to choose on the host; else thresholds were searched, with lists of one.
    let capacities = backend.passes.map(\.capacity)
    #expect(capacity == 100 ? capacities == [100] : capacities.count > 3 && capacities.count < 40)
    #expect(capacity == 100 || capacities.dropFirst().dropLast().allSatisfy { $0 == 1 })
    #expect(capacity == 100 || capacities.last == kept.count)
  }

  /// What a segment keeps does not depend on the room that the others left.
  @Test func theStrongestAreTheSameWhateverTheRoom() async throws {
    var generator = SplitMix64(seed: 5)
    let scores = (0..<4).map { _ in
      (0..<40).map { _ in Float(Int(generator.next() % 64)) / 8 - 4 }
    }
    let backend = ScriptedBackend(scores: scores)
    var results: [FoundCells] = []
    for capacity in [1, 30, 100, 1000] {
      results.append(try await backend.find(segments: 4, limit: 9, capacity: capacity))
    }
    #expect(Set(results).count == 1 && results[0].truncatedSegments == [0, 1, 2, 3])
    for segment in 0..<4 {
      let kept = results[0].cells.filter { $0.matrix == segment }.map(\.score)
      #expect(kept.count <= 9 && kept.min() ?? 0 > scores[segment].sorted(by: >)[9])
    }
  }

  @Test func senselessQueriesAreRefused() async throws {
    let backend = ScriptedBackend(scores: [[1]])
    await #expect(throws: EngineError.self) { try await backend.find(segments: 1, limit: 0, capacity: 1) }
  }

  @Test func aCountBeyondAnyListIsAnErrorNotACrash() async throws {
    let backend = ScriptedBackend(cells: 4, claimed: UInt32.max)
    await #expect(throws: EngineError.self) { try await backend.cells(capacity: 8) }
  }
}

/// Finds as many cells as it was told to, in an order of its own, and notes what it was asked.
private final class ScriptedBackend: Backend {
  struct Pass: Equatable {
    let capacity: Int
    let operations: Int
  }

  private final class Storage: TensorStorage {
    let byteCount: Int
    init(byteCount: Int) { self.byteCount = byteCount }
  }

  let expected: [PairCell]
  private let claimed: UInt32?
  private let log = Mutex<[Pass]>([])

  /// Cells of one segment, from -2.5 up, all above any threshold that is asked of it.
  init(cells: Int, claimed: UInt32? = nil) {
    expected = (0..<cells).map {
      PairCell(matrix: 0, row: $0 / 2, column: 5 + $0 % 2, score: Float($0) - 2.5)
    }
    self.claimed = claimed
  }

  var passes: [Pass] { log.withLock { $0 } }

  let device = DeviceDescription(
    name: "script", platform: "", driver: "", kind: .reference, variant: "", computeUnits: 1,
    memoryBytes: .max)
  let panelWidth = 4
  let tiles: TileShape? = nil
  let memory = MemoryUse()

  func makeTensor(_ elementType: ElementType, _ shape: [Int]) throws(EngineError) -> Tensor {
    let storage = Storage(byteCount: shape.reduce(elementType.byteCount, *))
    return Tensor(storage: storage, elementType: elementType, shape: shape)
  }

  func run(_ submission: Submission) async throws(EngineError) -> [HostArray] {
    guard let product = submission.operations.last as? PairwiseProduct,
      let selection = product.epilogue as? CellSelection
    else { throw EngineError(.invalidOperation, "a selection was expected last") }
    let capacity = selection.capacity
    let bounds = submission.uploads.last { $0.tensor.storage === selection.thresholds.storage }?.elements.floats ?? []
    log.withLock { $0.append(Pass(capacity: capacity, operations: submission.operations.count)) }
    var counts = [Int32](repeating: 0, count: bounds.count)
    let passing = expected.filter { $0.score > bounds[$0.matrix / product.rows.heads] }
    for cell in passing { counts[cell.matrix / product.rows.heads] += 1 }
    var words = [Int32](repeating: -1, count: 4 * capacity)
    for (slot, cell) in passing.reversed().prefix(capacity).enumerated() {
      words[4 * slot] = Int32(cell.matrix)
      words[4 * slot + 1] = Int32(cell.row)
      words[4 * slot + 2] = Int32(cell.column)
      words[4 * slot + 3] = Int32(bitPattern: cell.score.bitPattern)
    }
    if let claimed { counts = [Int32(bitPattern: claimed)] }
    return [.int32([counts.reduce(0, &+)] + counts), .int32(words)]
  }

  /// Cells of several segments.
  init(scores: [[Float]]) {
    expected = scores.enumerated().flatMap { segment, scores in
      scores.enumerated().map { PairCell(matrix: segment, row: $0, column: 5, score: $1) }
    }
    claimed = nil
  }

  /// The strongest cells of each of `segments`.
  func find(segments: Int, limit: Int, capacity: Int) async throws -> FoundCells {
    let engine = Engine(backend: self, logger: Logger(label: "test"))
    let vectors = HeadSlices(try engine.makeTensor(.float32, 64, 4), channels: 4)
    var submission = Submission()
    let table = try engine.makeSegmentTable(
      Segments(lengths: [Int](repeating: 64 / segments, count: segments)), uploadedBy: &submission)
    let panels = try engine.makePanels(for: .ragged(table), channels: 4)
    let query = CellQuery(
      rows: vectors, columns: panels, rowExtent: .ragged(table), columnExtent: .ragged(table), threshold: -1000,
      limit: limit)
    return try await engine.find(query, after: submission, capacity: capacity)
  }

  /// Asks for the cells of a product whose columns are packed first.
  func cells(capacity: Int) async throws -> [PairCell] {
    let engine = Engine(backend: self, logger: Logger(label: "test"))
    let vectors = HeadSlices(try engine.makeTensor(.float32, 64, 4), channels: 4)
    let extent = Extent.whole(64)
    let panels = try engine.makePanels(for: extent, channels: 4)
    var submission = Submission()
    try submission.append(PackColumns(vectors, extent: extent, into: panels))
    let query = CellQuery(
      rows: vectors, columns: panels, rowExtent: extent, columnExtent: extent, threshold: -1000)
    return try await engine.cells(query, after: submission, capacity: capacity)
  }
}
