import Engine
import Foundation
import Logging
import Testing

@testable import OpenCL
@testable import OpenCLBackend

/// Programs of a submission, which are begun together.
@Suite(.enabled(if: LaneFaultTests.candidate != nil, "needs an OpenCL device"))
struct ProgramStoreTests {
  private let folder = FileManager.default.temporaryDirectory.appending(path: "weft-programs-\(UUID().uuidString)").path

  private static func program(_ text: String) -> KernelProgram {
    KernelProgram(source: KernelSource(name: "test.cl", text: text), entry: "twice", defines: [:])
  }

  private static let good = program("__kernel void twice(__global float *x) { x[get_global_id(0)] *= 2.0f; }\n")
  private static let broken = program("#error broken on purpose\n")

  private func makeStore() throws -> ProgramStore {
    ProgramStore(
      context: try Context(device: try #require(LaneFaultTests.candidate).device),
      cache: ProgramCache(directory: folder), storesBinaries: true, compilesInTurn: true, logger: Logger(label: "test"))
  }

  private var markers: [String] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return files.filter { $0.hasSuffix(".loading") }
  }

  /// That one program cannot be built says nothing about the binaries of the others: left on trial, they would have the
  /// next process distrust the cache.
  @Test func aProgramThatFailsLeavesTheOthersTrusted() async throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    _ = try await makeStore().program(for: Self.good)

    let store = try makeStore()
    await store.begin([Self.broken, Self.good])
    await #expect(throws: EngineError.self) { _ = try await store.program(for: Self.broken) }
    #expect(try await store.program(for: Self.good).isFromCache)
    #expect(markers.count == 1)
    await store.settle([Self.broken, Self.good])
    #expect(markers.isEmpty)
  }

  /// A build that failed while its submission had failed already is tried again.
  @Test func aFailureIsNotKept() async throws {
    let store = try makeStore()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    await store.begin([Self.broken])
    #expect(await store.buildCount == 1)
    await store.settle([Self.broken])
    #expect(await store.buildCount == 0)
  }
}
