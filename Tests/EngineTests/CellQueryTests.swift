import Logging
import Synchronization
import Testing

@testable import Engine

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
  private let claimed: UInt32
  private let log = Mutex<[Pass]>([])

  init(cells: Int, claimed: UInt32? = nil) {
    expected = (0..<cells).map {
      PairCell(matrix: $0 / 6, row: $0 / 2 % 3, column: 5 + $0 % 2, score: Float($0) - 2.5)
    }
    self.claimed = claimed ?? UInt32(cells)
  }

  var passes: [Pass] { log.withLock { $0 } }

  let device = DeviceDescription(
    name: "script", platform: "", driver: "", kind: .reference, variant: "", computeUnits: 1,
    memoryBytes: .max)
  let panelWidth = 4
  let memory = MemoryUse()

  func makeTensor(_ elementType: ElementType, _ shape: [Int]) throws(EngineError) -> Tensor {
    let storage = Storage(byteCount: shape.reduce(elementType.byteCount, *))
    return Tensor(storage: storage, elementType: elementType, shape: shape)
  }

  func run(_ submission: Submission) async throws(EngineError) -> [HostArray] {
    guard case .pairwise(let product)? = submission.operations.last,
      case .select(let selection) = product.epilogue
    else { throw EngineError(.invalidOperation, "a selection was expected last") }
    let capacity = selection.capacity
    log.withLock { $0.append(Pass(capacity: capacity, operations: submission.operations.count)) }
    var words = [Int32](repeating: -1, count: 4 * capacity)
    for (slot, cell) in expected.reversed().prefix(capacity).enumerated() {
      words[4 * slot] = Int32(cell.matrix)
      words[4 * slot + 1] = Int32(cell.row)
      words[4 * slot + 2] = Int32(cell.column)
      words[4 * slot + 3] = Int32(bitPattern: cell.score.bitPattern)
    }
    return [.int32([Int32(bitPattern: claimed)]), .int32(words)]
  }

  /// Asks for the cells of a product whose columns are packed first.
  func cells(capacity: Int) async throws -> [PairCell] {
    let engine = Engine(backend: self, logger: Logger(label: "test"))
    let vectors = HeadSlices(try engine.makeTensor(.float32, 64, 4), channels: 4)
    let extent = Extent.whole(64)
    let panels = try engine.makePanels(for: extent, channels: 4)
    var submission = Submission()
    try submission.append(.pack(PackColumns(vectors, extent: extent, into: panels)))
    let query = CellQuery(
      rows: vectors, columns: panels, rowExtent: extent, columnExtent: extent, threshold: 0)
    return try await engine.cells(query, after: submission, capacity: capacity)
  }
}
