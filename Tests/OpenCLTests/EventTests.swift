import Testing

@testable import OpenCL

/// Lets several tasks wait for one event.
private final class SharedEvent: Sendable {
  let event: Event
  init(_ event: consuming Event) { self.event = event }
}

@Suite(.needsDevice, .timeLimit(.minutes(15))) struct EventTests {
  let context: Context

  init() throws { context = try Bench.open().context }

  @Test func manyTasksAwaitSeveralQueues() async throws {
    let program = try Bench.open().program
    try await withThrowingTaskGroup { group in
      for _ in 0..<4 {
        let queue = try CommandQueue(context: context)
        let buffer = try context.makeBuffer(byteCount: 1 << 16)
        var kernel = try program.makeKernel("scale")
        try kernel.set(0, buffer)
        try kernel.set(1, Float(1))
        try queue.fill(buffer, with: 0)
        for _ in 0..<8 {
          let shared = SharedEvent(try queue.enqueue(kernel, global: [1 << 14]))
          for _ in 0..<16 { group.addTask { try await shared.event.completion() } }
        }
      }
      try await group.waitForAll()
    }
  }

  @Test func aFinishedCommandCompletesAtOnce() async throws {
    let queue = try CommandQueue(context: context)
    let event = try queue.marker()
    try queue.finish()
    for _ in 0..<3 { try await event.completion() }
    try event.wait()
  }

  @Test func waitingSendsTheCommandOff() throws {
    let queue = try CommandQueue(context: context)
    let event = try queue.marker()
    try event.wait()
  }

  /// The event holds the queue, so it can be awaited after everybody else has dropped it.
  @Test func anEventOutlivesItsQueue() async throws {
    func orphan() throws -> Event { try CommandQueue(context: context).marker() }
    try await orphan().completion()
  }

  @Test func tasksWaitUntilTheEventHappens() async throws {
    let gate = SharedEvent(try Event.host(context: context))
    try await withThrowingTaskGroup { group in
      for _ in 0..<20 { group.addTask { try await gate.event.completion() } }
      try await Task.sleep(for: .milliseconds(20))
      try gate.event.complete()
      try await group.waitForAll()
    }
  }

  /// However a command fails, everybody who waits is told, and nobody twice (a continuation
  /// resumed twice traps).
  @Test(arguments: [CLStatus.outOfResources, CLStatus(rawValue: -9999)])
  func aFailureReachesEverybody(status: CLStatus) async throws {
    let gate = SharedEvent(try Event.host(context: context))
    await withTaskGroup { group in
      for _ in 0..<20 {
        group.addTask { await #expect(throws: OpenCLError.self) { try await gate.event.completion() } }
      }
      try? await Task.sleep(for: .milliseconds(20))
      #expect(throws: Never.self) { try gate.event.complete(status) }
      for await error in group {
        #expect(error?.status == status)
        #expect(error?.call == "command")
        #expect(error?.detail == "user event ended with an error")
      }
    }
    // Late comers hear it too.
    let late = await #expect(throws: OpenCLError.self) { try await gate.event.completion() }
    #expect(late?.status == status)
    let blocked = #expect(throws: OpenCLError.self) { try gate.event.wait() }
    #expect(blocked?.status == status)
  }

  /// A command that depends on a failed one fails as well.
  @Test func aFailureSpreads() async throws {
    let queue = try CommandQueue(context: context)
    let gate = try Event.host(context: context)
    let follower = SharedEvent(try queue.marker(after: gate))
    try queue.flush()
    try gate.complete(.outOfResources)
    let error = await #expect(throws: OpenCLError.self) { try await follower.event.completion() }
    #expect((error?.status.rawValue ?? 0) < 0)
  }

  @Test(arguments: ["clGetEventInfo", "clSetEventCallback", "clFlush"])
  func aFailureToWaitIsThrown(call: String) async throws {
    let queue = try CommandQueue(context: context)
    let gate = try Event.host(context: context)
    let follower = SharedEvent(try queue.marker(after: gate))
    let error = await #expect(throws: OpenCLError.self) {
      try await FaultInjection.failing(call, with: .outOfHostMemory) {
        try await follower.event.completion()
      }
    }
    #expect(error?.call == call)
    // The callback that was registered before the flush failed now comes, to nobody's harm.
    try gate.complete()
    try queue.finish()
    try await follower.event.completion()
  }

  @Test func aForcedCommandErrorIsThrown() async throws {
    let queue = try CommandQueue(context: context)
    let event = SharedEvent(try queue.marker())
    let error = await #expect(throws: OpenCLError.self) {
      try await FaultInjection.failing("command", with: .outOfResources) {
        try await event.event.completion()
      }
    }
    #expect(error?.status.isExhaustion == true)
    #expect(error?.detail == "marker ended with an error")
  }

  @Test func profileTimesAreOrdered() async throws {
    let queue = try CommandQueue(context: context, profiling: true)
    #expect(queue.isProfiling)
    let buffer = try context.makeBuffer(byteCount: 1 << 20)
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    defer { bytes.deallocate() }
    bytes.initializeMemory(as: UInt8.self, repeating: 1)
    let event = try queue.enqueueWrite(UnsafeRawBufferPointer(bytes), to: buffer)
    try await event.completion()
    let profile = try event.profile()
    #expect(profile.queued <= profile.submitted)
    #expect(profile.submitted <= profile.started)
    #expect(profile.started <= profile.ended)
    #expect(profile.duration == profile.ended - profile.started)
  }

  @Test func profilingMustBeAskedFor() async throws {
    let queue = try CommandQueue(context: context)
    #expect(!queue.isProfiling)
    let event = SharedEvent(try queue.marker())
    try await event.event.completion()
    let error = #expect(throws: OpenCLError.self) { _ = try event.event.profile() }
    #expect(error?.status == .profilingInfoNotAvailable)
  }
}
