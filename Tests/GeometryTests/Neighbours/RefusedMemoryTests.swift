import Engine
import Geometry
import Memory
import TestDevices
import Testing

/// Host memory that the system does not give, for each request of a search in turn.
@Suite struct RefusedMemoryTests {
  @Test func aSearchFailsWithAnErrorOrTakesLess() async throws {
    let engine = try await TestDevice.reference.engine()
    let vectors = try Vectors(Draws.gaussian(600, 4, seed: 3), dimension: 4)
    let (expected, requests) = try await HostAllocation.refusing(nil) { try await engine.neighbours(of: vectors, k: 3) }
    #expect(requests > 2)
    for occurrence in 1...requests {
      do {
        let (lists, _) = try await HostAllocation.refusing(occurrence) {
          try await engine.neighbours(of: vectors, k: 3)
        }
        #expect(lists == expected, "request \(occurrence)")
      } catch let error as EngineError {
        #expect(error.kind == .exhausted && error.message.contains("which the system does not give"))
      }
      // The backend's own thread may still be letting go of the submission whose result has arrived.
      for _ in 0..<500 where engine.memory.bytes > 0 { try await Task.sleep(for: .milliseconds(10)) }
      #expect(engine.memory.bytes == 0, "request \(occurrence) leaves memory behind")
    }
    let (_, smaller) = try await HostAllocation.refusing(nil) { try await engine.neighbours(of: vectors, k: 3) }
    #expect(smaller == requests, "and the next search is as the first")
  }
}
