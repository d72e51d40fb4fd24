import OpenCL
import Testing

@Suite(.needsDevice) struct BufferTests {
  let context: Context
  let queue: CommandQueue

  init() throws {
    context = try Bench.open().context
    queue = try CommandQueue(context: context)
  }

  @Test(arguments: [Buffer.Access.readWrite, .readOnly, .writeOnly])
  func roundTrip(access: Buffer.Access) throws {
    let values = (0..<1009).map(Float.init)
    let buffer = try context.makeBuffer(byteCount: 4 * values.count, access: access)
    #expect(buffer.byteCount == 4 * values.count)
    try queue.write(values: values, to: buffer)
    #expect(try queue.values(of: buffer, values.count, as: Float.nan) == values)
  }

  @Test func writesMayBeReusedOnReturn() throws {
    let buffer = try context.makeBuffer(byteCount: 4096)
    var bytes = [UInt8](repeating: 1, count: 4096)
    try queue.write(values: bytes, to: buffer)
    for i in bytes.indices { bytes[i] = 2 }
    #expect(try queue.values(of: buffer, 4096, as: UInt8(0)) == [UInt8](repeating: 1, count: 4096))
  }

  @Test(arguments: [(0, 1), (1, 7), (13, 50), (63, 1), (64, 0), (0, 64)])
  func offsetsTouchNothingElse(offset: Int, count: Int) throws {
    let buffer = try context.makeBuffer(byteCount: 64)
    try queue.fill(buffer, with: 0xabab_abab)
    let patch = (0..<UInt8(count)).map { $0 }
    try queue.write(values: patch, to: buffer, offset: offset)
    var expected = [UInt8](repeating: 0xab, count: 64)
    expected.replaceSubrange(offset..<offset + count, with: patch)
    #expect(try queue.values(of: buffer, 64, as: UInt8(0)) == expected)
    #expect(try queue.values(of: buffer, count, as: UInt8(0), offset: offset) == patch)
  }

  @Test func asynchronousWriteThenRead() async throws {
    let count = 1 << 16
    let source = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 64)
    let target = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 64)
    defer {
      source.deallocate()
      target.deallocate()
    }
    for i in 0..<count { source[i] = UInt8(truncatingIfNeeded: i &* 31) }
    let buffer = try context.makeBuffer(byteCount: count)
    let written = try queue.enqueueWrite(UnsafeRawBufferPointer(source), to: buffer)
    let read = try queue.enqueueRead(buffer, into: target)
    try await read.completion()
    try await written.completion()
    #expect(target.elementsEqual(source))
  }

  @Test func emptyTransfersComplete() async throws {
    let buffer = try context.makeBuffer(byteCount: 4)
    let nothing = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    try queue.write(UnsafeRawBufferPointer(nothing), to: buffer, offset: 4)
    try await queue.enqueueWrite(UnsafeRawBufferPointer(nothing), to: buffer).completion()
    try await queue.enqueueRead(buffer, offset: 4, into: nothing).completion()
    try queue.fill(buffer, with: 1, byteCount: 0)
    try queue.copy(from: buffer, to: buffer, byteCount: 0)
    try queue.finish()
  }

  @Test func fillRepeatsThePattern() throws {
    let buffer = try context.makeBuffer(byteCount: 40)
    try queue.fill(buffer, with: 7)
    try queue.fill(buffer, with: 0xdead_beef, offset: 8, byteCount: 12)
    #expect(
      try queue.values(of: buffer, 10, as: UInt32(0))
        == [7, 7, 0xdead_beef, 0xdead_beef, 0xdead_beef, 7, 7, 7, 7, 7])
  }

  @Test func copyMovesARange() throws {
    let source = try context.makeBuffer(byteCount: 16)
    let target = try context.makeBuffer(byteCount: 16)
    try queue.write(values: (0..<16).map { UInt8($0) }, to: source)
    try queue.fill(target, with: 0xffff_ffff)
    try queue.copy(from: source, sourceOffset: 3, to: target, targetOffset: 9, byteCount: 5)
    #expect(
      try queue.values(of: target, 16, as: UInt8(0))
        == [255, 255, 255, 255, 255, 255, 255, 255, 255, 3, 4, 5, 6, 7, 255, 255])
  }

  @Test func impossibleSizesAreExhaustion() throws {
    let error = #expect(throws: OpenCLError.self) {
      _ = try context.makeBuffer(byteCount: 1 << 60)
    }
    #expect(error?.status.isExhaustion == true)
    #expect(error?.detail.contains("\(1 << 60) bytes") == true)
  }

  /// Enqueued commands keep the memory: the last reference goes before they run.
  @Test func buffersOutliveTheirCommands() throws {
    let target = try context.makeBuffer(byteCount: 1 << 16)
    for round in 0..<16 {
      let source = try context.makeBuffer(byteCount: 1 << 16)
      try queue.fill(source, with: UInt32(round))
      try queue.copy(from: source, to: target, byteCount: 1 << 16)
    }
    let values = try queue.values(of: target, 1 << 14, as: UInt32(0))
    #expect(values.allSatisfy { $0 == 15 })
  }
}

/// What the caller must not do stops the program.
@Suite(.needsDevice) struct BufferPreconditionTests {
  @Test func anEmptyBufferIsRefused() async {
    await #expect(processExitsWith: .failure) {
      _ = try Bench.open().context.makeBuffer(byteCount: 0)
    }
  }

  @Test(arguments: [(0, 9), (8, 1), (-1, 2), (Int.max, 1), (9, 0)])
  func aRangeOutsideIsRefused(offset: Int, count: Int) async {
    await #expect(processExitsWith: .failure) { [offset, count] in
      let context = try Context(device: try #require(testDevice))
      let buffer = try context.makeBuffer(byteCount: 8)
      let queue = try CommandQueue(context: context)
      try queue.write(values: [UInt8](repeating: 0, count: count), to: buffer, offset: offset)
    }
  }
}
