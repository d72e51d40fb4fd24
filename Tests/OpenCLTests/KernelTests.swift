import OpenCL
import Testing

@Suite(.needsDevice) struct KernelTests {
  let bench: Bench
  let queue: CommandQueue

  init() throws {
    bench = try Bench.open()
    queue = try CommandQueue(context: bench.context)
  }

  @Test(arguments: [nil, [1], [8]] as [[Int]?])
  func scalesABuffer(local: [Int]?) async throws {
    let values = (0..<64).map(Float.init)
    let buffer = try bench.context.makeBuffer(byteCount: 4 * values.count)
    try queue.write(values: values, to: buffer)
    var kernel = try bench.program.makeKernel("scale")
    try kernel.set(0, buffer)
    try kernel.set(1, Float(0.5))
    try await queue.enqueue(kernel, global: [64], local: local).completion()
    try queue.launch(kernel, global: [32], local: local)
    let expected = values.enumerated().map { $0 < 32 ? $1 / 4 : $1 / 2 }
    #expect(try queue.values(of: buffer, values.count, as: Float.nan) == expected)
  }

  @Test func everyTypeOfArgumentArrives() throws {
    let buffer = try bench.context.makeBuffer(byteCount: 48, access: .writeOnly)
    var kernel = try bench.program.makeKernel("arguments")
    try kernel.set(0, buffer)
    try kernel.set(1, Int32(-7))
    try kernel.set(2, UInt32.max)
    try kernel.set(3, Float(2.25))
    try kernel.set(4, UInt64.max - 1)
    try withUnsafeBytes(of: SIMD4<Float>(1, 2, 3, 4)) { try kernel.setBytes(5, $0) }
    try kernel.setLocal(6, byteCount: 16)
    try queue.launch(kernel, global: [4], local: [4])
    #expect(
      try queue.values(of: buffer, 6, as: UInt64(0))
        == [UInt64(bitPattern: -7), UInt64(UInt32.max), 9, UInt64.max - 1, 4321, 10])
  }

  @Test func limitsAreKnown() throws {
    let kernel = try bench.program.makeKernel("scale")
    #expect(kernel.name == "scale")
    #expect((1...bench.device.maxWorkGroupSize).contains(kernel.workGroupLimit))
    #expect(kernel.preferredMultiple > 0)
    #expect((0...bench.device.localMemory).contains(kernel.localMemory))
    #expect(kernel.privateMemory >= 0)
  }

  @Test func programsListTheirKernels() {
    #expect(Set(bench.program.kernelNames) == ["scale", "arguments", "is_null"])
    #expect(!bench.program.isFromCache)
  }

  @Test func anUnknownKernelIsNamed() {
    let error = #expect(throws: OpenCLError.self) { _ = try bench.program.makeKernel("absent") }
    #expect(error?.call == "clCreateKernel")
    #expect(error?.status == .invalidKernelName)
    #expect(error?.detail.contains("absent") == true)
    #expect(error?.detail.contains("scale") == true)
  }

  @Test func aMissingArgumentIsAnError() throws {
    let kernel = try bench.program.makeKernel("scale")
    let queue = queue
    // #expect cannot capture a noncopyable kernel.
    do throws(OpenCLError) {
      try queue.launch(kernel, global: [4])
      Issue.record("a kernel ran without arguments")
    } catch {
      #expect(error.status == .invalidKernelArguments)
      #expect(error.detail.contains("scale"))
      #expect(error.detail.contains("global [4]"))
    }
  }

  @Test func aWrongArgumentIsAnError() throws {
    var kernel = try bench.program.makeKernel("scale")
    do throws(OpenCLError) {
      try kernel.set(2, Int32(0))
      Issue.record("an argument too many was accepted")
    } catch {
      #expect(error.status == .invalidArgumentIndex)
    }
    do throws(OpenCLError) {
      try kernel.set(1, UInt64(0))
      Issue.record("eight bytes were accepted as a float")
    } catch {
      #expect(error.status == .invalidArgumentSize)
      #expect(error.detail.contains("argument 1 of 8 bytes"))
    }
  }

  /// A driver does not retain arguments: the kernel must.
  @Test func kernelsKeepTheirBuffersUntilUnbound() throws {
    weak var buffer: Buffer?
    var kernel = try bench.program.makeKernel("scale")
    do {
      let local = try bench.context.makeBuffer(byteCount: 16)
      buffer = local
      try kernel.set(0, local)
      try kernel.set(1, Float(1))
    }
    #expect(buffer != nil)
    try queue.launch(kernel, global: [4])
    try queue.finish()
    try kernel.unbindBuffers()
    #expect(buffer == nil)
  }

  @Test func unboundBuffersAreNull() throws {
    let flag = try bench.context.makeBuffer(byteCount: 4)
    let other = try bench.context.makeBuffer(byteCount: 4)
    var kernel = try bench.program.makeKernel("is_null")
    try kernel.set(0, flag)
    try kernel.set(1, other)
    try queue.launch(kernel, global: [1])
    #expect(try queue.values(of: flag, 1, as: Int32(-1)) == [0])
    try kernel.unbindBuffers()
    try kernel.set(0, flag)
    try queue.launch(kernel, global: [1])
    #expect(try queue.values(of: flag, 1, as: Int32(-1)) == [1])
  }

  /// One program, many queues, each with a kernel of its own.
  @Test func lanesWorkBesideEachOther() async throws {
    let (context, program) = (bench.context, bench.program)
    let sums = try await withThrowingTaskGroup(of: Float.self) { group in
      for lane in 1...6 {
        group.addTask {
          let queue = try CommandQueue(context: context)
          let buffer = try context.makeBuffer(byteCount: 4 * 16)
          var kernel = try program.makeKernel("scale")
          try queue.fill(buffer, with: Float(lane).bitPattern)
          try kernel.set(0, buffer)
          for factor in [2, 3, 0.5] as [Float] {
            try kernel.set(1, factor)
            try await queue.enqueue(kernel, global: [16]).completion()
          }
          return try queue.values(of: buffer, 16, as: Float.nan).reduce(0, +)
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(sums.sorted() == (1...6).map { Float($0 * 3 * 16) })
  }
}
