import Engine
import Logging
import OpenCL
import Testing

@testable import OpenCLBackend

/// What happens to memory when a submission fails, or its end cannot be learnt.
@Suite struct LaneFaultTests {
  static let candidate = try? DeviceCandidate.all().first

  private static func engine() throws -> Engine {
    Engine(backend: try OpenCLBackend(try #require(candidate)), logger: Logger(label: "test"))
  }

  @Test(
    .enabled(if: candidate != nil, "needs an OpenCL device"),
    arguments: [
      "clSetEventCallback", "clFlush", "clEnqueueReadBuffer", "clEnqueueMarkerWithWaitList", "clGetEventInfo",
      "command",
    ])
  func theDeviceIsWaitedForBeforeMemoryIsFreed(call: String) async throws {
    let engine = try Self.engine()
    let vectors = try Vectors([Float](repeating: 0.5, count: 2000 * 256), dimension: 256)
    let expected = try await engine.pairwise(rows: vectors, columns: vectors)

    // The product is still running when its completion gets lost.
    let error = await #expect(throws: EngineError.self) {
      try await FaultInjection.failing(call, with: .outOfHostMemory) {
        _ = try await engine.pairwise(rows: vectors, columns: vectors)
      }
    }
    #expect(error?.message.contains(call) == true)
    #expect(try await engine.pairwise(rows: vectors, columns: vectors) == expected)
  }

  /// Every call of a submission, each time it is made: the error comes out, all memory comes back, and the next submission
  /// has the right result.
  @Test(.enabled(if: candidate != nil, "needs an OpenCL device"))
  func whateverFailsGivesItsMemoryBack() async throws {
    let engine = try Self.engine()
    let vectors = try Vectors((0..<30).map { Float($0 * 7 % 11) }, dimension: 3)
    let expected = try await engine.pairwise(rows: vectors, columns: vectors)
    let before = engine.memory.bytes
    let calls = try await FaultInjection.recording { _ = try await engine.pairwise(rows: vectors, columns: vectors) }
    var occurrences: [String: Int] = [:]
    for call in calls {
      occurrences[call, default: 0] += 1
      for status in [CLStatus.outOfResources, CLStatus(rawValue: -9999)] {
        do {
          let scores = try await FaultInjection.failing(call, occurrence: occurrences[call], with: status) {
            try await engine.pairwise(rows: vectors, columns: vectors)
          }
          // Some failures are made good, such as of a buffer that is there at the second try.
          #expect(scores == expected, "\(call)")
        } catch let error as EngineError {
          #expect(error.kind == (status.isExhaustion ? .exhausted : .deviceFailure), "\(call)")
          #expect(error.message.contains(call), "\(call): \(error)")
        }
        #expect(engine.memory.bytes == before, "\(call)")
      }
    }
    #expect(Set(calls).count >= 7, "\(Set(calls).sorted())")
    #expect(try await engine.pairwise(rows: vectors, columns: vectors) == expected)
  }

  /// Buffers that the device refuses, from the first or from a later one on: an error that says so, and no memory kept.
  @Test(.enabled(if: candidate != nil, "needs an OpenCL device"))
  func refusedBuffersAreAnErrorAndNoLeak() async throws {
    let engine = try Self.engine()
    // Sizes that no buffer lies idle for.
    let vectors = try Vectors((0..<(77 * 41)).map { Float($0 % 13) }, dimension: 41)
    let before = engine.memory.bytes
    for status in [CLStatus.allocationFailure, .outOfResources, .outOfHostMemory] {
      let error = await #expect(throws: EngineError.self) {
        try await FaultInjection.failing("clCreateBuffer", occurrence: nil, with: status) {
          _ = try await engine.pairwise(rows: vectors, columns: vectors)
        }
      }
      #expect(error?.kind == .exhausted && error?.message.contains("bytes on") == true, "\(error?.message ?? "")")
      #expect(engine.memory.bytes == before)
    }
    _ = try await engine.pairwise(rows: vectors, columns: vectors)
    #expect(engine.memory.bytes == before)
  }

  @Test(.enabled(if: candidate != nil, "needs an OpenCL device"))
  func aQueueThatIsRefusedIsAnError() throws {
    let candidate = try #require(Self.candidate)
    let context = try Context(device: candidate.device)
    #expect(throws: OpenCLError.self) {
      try FaultInjection.failing("clCreateCommandQueue", with: .outOfHostMemory) {
        _ = try CommandQueue(context: context)
      }
    }
    _ = try CommandQueue(context: context)
  }
}
