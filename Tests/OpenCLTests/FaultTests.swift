import Testing

@testable import OpenCL

/// Every call a scenario makes is failed in turn. The failure must come out as itself, and nothing
/// may hang, crash or stay behind that spoils the next round.
@Suite(.needsDevice, .timeLimit(.minutes(15))) struct FaultTests {
  private static let status = CLStatus(rawValue: -4242)

  private func failEveryCall(of scenario: () async throws -> Void) async throws {
    let calls = try await FaultInjection.recording(scenario)
    #expect(!calls.isEmpty)
    var occurrences: [String: Int] = [:]
    for call in calls {
      let occurrence = occurrences[call, default: 0] + 1
      occurrences[call] = occurrence
      let error = await #expect(throws: OpenCLError.self, "\(call), occurrence \(occurrence)") {
        try await FaultInjection.failing(
          call, occurrence: occurrence, with: Self.status, scenario)
      }
      #expect(error?.call == call)
      #expect(error?.status == Self.status)
    }
    try await scenario()
  }

  @Test func listing() async throws {
    try await failEveryCall {
      let devices = try Platform.all().flatMap { try $0.devices() }
      #expect(!devices.isEmpty)
    }
  }

  @Test func opening() async throws {
    let bench = try Bench.open()
    try await failEveryCall {
      let context = try Context(device: bench.device)
      let queue = try CommandQueue(context: context, profiling: true)
      let program = try Program.build(
        name: "tiny", source: "__kernel void tiny(__global int *x) { *x = 1; }", context: context)
      let kernel = try program.makeKernel("tiny")
      #expect(kernel.workGroupLimit > 0)
      try queue.finish()
    }
  }

  @Test func working() async throws {
    let bench = try Bench.open()
    let queue = try CommandQueue(context: bench.context, profiling: true)
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 16)
    bytes.initializeMemory(as: UInt8.self, repeating: 0)
    defer {
      try? queue.finish()  // a failed round leaves commands behind that use the memory
      bytes.deallocate()
    }
    try await failEveryCall {
      let first = try bench.context.makeBuffer(byteCount: 64)
      let second = try bench.context.makeBuffer(byteCount: 64)
      try queue.write(UnsafeRawBufferPointer(bytes), to: first)
      let written = try queue.enqueueWrite(UnsafeRawBufferPointer(bytes), to: first)
      try queue.fill(second, with: 0)
      try queue.copy(from: first, to: second, byteCount: 32)
      var kernel = try bench.program.makeKernel("scale")
      try kernel.set(0, second)
      try kernel.set(1, Float(1))
      try queue.launch(kernel, global: [16])
      let run = try queue.enqueue(kernel, global: [16], local: [4])
      try kernel.unbindBuffers()
      let read = try queue.enqueueRead(second, into: bytes)
      try queue.flush()
      try read.wait()
      try await run.completion()
      _ = try run.profile()
      try queue.marker().wait()
      try queue.finish()
      try await written.completion()
    }
  }

  @Test func otherCallsAndOccurrencesPass() throws {
    let context = try Bench.open().context
    try FaultInjection.failing("clFinish", occurrence: 3, with: Self.status) {
      let queue = try CommandQueue(context: context)
      try queue.flush()
      try queue.finish()
      try queue.finish()
      let error = #expect(throws: OpenCLError.self) { try queue.finish() }
      #expect(error?.status == Self.status)
      try queue.finish()
    }
  }

  @Test func tasksBesideDoNotMeetTheFault() async throws {
    let queue = try CommandQueue(context: try Bench.open().context)
    try await FaultInjection.failing("clFinish", occurrence: nil, with: Self.status) {
      #expect(throws: OpenCLError.self) { try queue.finish() }
      try await Task.detached { try queue.finish() }.value
      await #expect(throws: OpenCLError.self) {
        try await withThrowingTaskGroup { group in
          group.addTask { try queue.finish() }
          try await group.waitForAll()
        }
      }
    }
  }
}
