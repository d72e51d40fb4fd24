import Engine
import OpenCL
import Testing

@testable import OpenCLBackend

/// Transfer memory of GPUs, on whatever device there is.
@Suite(.enabled(if: LaneFaultTests.candidate != nil, "needs an OpenCL device"))
struct TransferPoolTests {
  private func pool() throws -> TransferPool {
    TransferPool(queue: try CommandQueue(context: try Context(device: try #require(LaneFaultTests.candidate).device)))
  }

  @Test func blocksAreUsedAgain() throws {
    let pool = try pool()
    let first = try #require(pool.take(100))
    #expect(first.bytes.count == TransferPool.blockBytes)
    let address = first.bytes.baseAddress
    #expect(UInt(bitPattern: address) % 64 == 0)
    first.bytes.initializeMemory(as: UInt8.self, repeating: 7)
    pool.giveBack(first)
    #expect(pool.idleBytes == TransferPool.blockBytes)
    #expect(pool.take(TransferPool.blockBytes)?.bytes.baseAddress == address)
    #expect(pool.idleBytes == 0)
  }

  @Test func aBlockMuchTooLargeStaysWhereItIs() throws {
    let pool = try pool()
    pool.giveBack(try #require(pool.take(9 << 20)))
    let small = try #require(pool.take(1))
    #expect(small.bytes.count == TransferPool.blockBytes)
    #expect(pool.idleBytes >= 9 << 20)
  }

  @Test func noMoreIsKeptThanTheLimit() throws {
    let pool = try pool()
    #expect(pool.take(TransferPool.idleLimit + 1) == nil)
    let sizes = [30, 20, 1, 24, 8].map { $0 << 20 }
    let blocks = try sizes.map { try #require(pool.take($0)) }
    for block in blocks { pool.giveBack(block) }
    #expect(pool.idleBytes <= TransferPool.idleLimit)
    // The largest goes first: small ones are asked for more often.
    #expect(pool.idleBytes == (20 + 1 + 24 + 8) << 20)
  }

  /// Small transfers share a block, and none runs into the next.
  @Test func transfersLieApart() throws {
    let staging = Staging(from: try pool())
    let arrays = [5, 16, 300_000, 1].map { count in [Float](repeating: Float(count), count: count) }
    let places = try arrays.map { try staging.copy(.float32($0)) }
    let download = try staging.reserve(1000)
    download.initializeMemory(as: UInt8.self, repeating: 0xff)
    for (array, place) in zip(arrays, places) {
      #expect(Array(place.bindMemory(to: Float.self)) == array)
      #expect(UInt(bitPattern: place.baseAddress) % 64 == 0)
    }
  }

  /// A driver that gives none: transfers take plain memory, and the result is the same.
  @Test(arguments: ["clCreateBuffer", "clEnqueueMapBuffer"])
  func withoutItPlainMemoryIsTaken(call: String) throws {
    let pool = try pool()
    let array = [Float](repeating: 3, count: 40)
    let staging = Staging(from: pool)
    let place = try FaultInjection.failing(call, occurrence: nil, with: .outOfHostMemory) {
      try staging.copy(.float32(array))
    }
    #expect(Array(place.bindMemory(to: Float.self)) == array)
    #expect(pool.idleBytes == 0)
  }
}
