import Testing

@testable import OpenCL

/// The cache with a driver behind it.
@Suite(.needsDevice) struct ProgramCacheTests {
  private let context: Context
  private let source = "__kernel void answer(__global int *x) { *x = VALUE; }"

  init() throws { context = try Bench.open().context }

  private func build(_ value: Int, _ cache: ProgramCache) throws(OpenCLError) -> Program {
    try Program.build(
      name: "answer", source: source, options: ["-DVALUE=\(value)"], context: context,
      cache: cache)
  }

  private func key(_ value: Int) -> ProgramCache.Key {
    ProgramCache.Key(source: source, options: ["-DVALUE=\(value)"], device: context.device)
  }

  private func answer(of program: Program) throws -> Int32 {
    let queue = try CommandQueue(context: context)
    let buffer = try context.makeBuffer(byteCount: 4)
    var kernel = try program.makeKernel("answer")
    try kernel.set(0, buffer)
    try queue.launch(kernel, global: [1])
    return try queue.values(of: buffer, 1, as: Int32(0))[0]
  }

  @Test func missThenHit() async throws {
    try await withTemporaryDirectory { directory in
      let cache = ProgramCache(directory: directory)
      let first = try build(1, cache)
      #expect(!first.isFromCache)
      #expect(try answer(of: first) == 1)
      let second = try build(1, cache)
      #expect(second.isFromCache)
      #expect(second.name == "answer")
      #expect(second.kernelNames == ["answer"])
      #expect(try answer(of: second) == 1)
      let other = try build(2, cache)
      #expect(!other.isFromCache)
      #expect(try answer(of: other) == 2)
    }
  }

  /// The file is sound, its content is not a binary: only the driver can tell.
  @Test func aBinaryTheDriverRefusesIsRebuilt() async throws {
    try await withTemporaryDirectory { directory in
      let cache = ProgramCache(directory: directory)
      cache.store(Array("not a binary of any driver".utf8), for: key(3))
      let program = try build(3, cache)
      #expect(!program.isFromCache)
      #expect(try answer(of: program) == 3)
      #expect(try build(3, cache).isFromCache, "and the binary replaced")
    }
  }

  @Test func anUnusableDirectoryIsNoError() throws {
    let program = try build(4, ProgramCache(directory: "/dev/null/cache"))
    #expect(!program.isFromCache)
    #expect(try answer(of: program) == 4)
  }

  /// Whatever fails on the way to a cached binary, the compiler still delivers.
  @Test func driverFaultsAreMisses() async throws {
    try await withTemporaryDirectory { directory in
      let cache = ProgramCache(directory: directory)
      _ = try build(5, cache)
      let calls = try await FaultInjection.recording { _ = try build(5, cache) }
      #expect(calls.contains("clCreateProgramWithBinary"))
      for call in Set(calls) {
        let program = try FaultInjection.failing(call, with: .invalidBinary) {
          try build(5, cache)
        }
        #expect(!program.isFromCache, "\(call)")
      }
    }
  }

  /// A binary that the driver will not give is not stored; the program is fine.
  @Test func aBinaryTheDriverWithholdsIsNotStored() async throws {
    try await withTemporaryDirectory { directory in
      let cache = ProgramCache(directory: directory)
      for occurrence in 3...4 {  // the first two read the kernel names
        let program = try FaultInjection.failing(
          "clGetProgramInfo", occurrence: occurrence, with: .invalidValue
        ) { try build(6, cache) }
        #expect(!program.isFromCache)
        #expect(cache.load(key(6)) == nil)
      }
    }
  }

  @Test func aFailedBuildStoresNothing() async throws {
    try await withTemporaryDirectory { directory in
      let cache = ProgramCache(directory: directory)
      let error = #expect(throws: OpenCLError.self) {
        _ = try Program.build(name: "bad", source: "garbage", context: context, cache: cache)
      }
      #expect(error?.status == .buildProgramFailure)
      let key = ProgramCache.Key(source: "garbage", options: [], device: context.device)
      #expect(cache.load(key) == nil)
    }
  }

  @Test func concurrentBuildersOfOneKey() async throws {
    try await withTemporaryDirectory { directory in
      let cache = ProgramCache(directory: directory)
      try await withThrowingTaskGroup { group in
        for _ in 0..<6 {
          group.addTask {
            let program = try build(7, cache)
            #expect(try answer(of: program) == 7)
          }
        }
        try await group.waitForAll()
      }
      #expect(try build(7, cache).isFromCache)
    }
  }
}
