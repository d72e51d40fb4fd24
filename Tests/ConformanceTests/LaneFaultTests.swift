import Engine
import Logging
import OpenCL
import Testing

@testable import OpenCLBackend

/// What happens to memory when a submission's end cannot be learnt.
@Suite struct LaneFaultTests {
  static let candidate = try? DeviceCandidate.all().first

  @Test(.enabled(if: candidate != nil, "needs an OpenCL device"), arguments: ["clSetEventCallback", "clFlush"])
  func theDeviceIsWaitedForBeforeMemoryIsFreed(call: String) async throws {
    let candidate = try #require(Self.candidate)
    let engine = Engine(backend: try OpenCLBackend(candidate), logger: Logger(label: "test"))
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
}
