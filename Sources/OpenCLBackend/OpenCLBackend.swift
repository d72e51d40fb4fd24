package import Engine
package import Logging
package import OpenCL
internal import Synchronization

/// Executes operations on one OpenCL device.
package final class OpenCLBackend: Backend {
  package let device: DeviceDescription
  /// When its commands ran, if that is recorded.
  package let timeline: Timeline?
  /// Where the device's tuning is kept; nil where nothing is.
  package let tuningFile: TuningFile?
  let shape: TileShape
  let quirks: DeviceQuirks
  let logger: Logger
  private let productUnits = ProductUnitsChoice()
  private let pool: BufferPool
  private let lanes: [Lane]
  private let nextLane = Atomic(0)

  /// Opens a device.
  ///
  /// - Parameters:
  ///   - candidate: the device.
  ///   - variant: which tiles to use; by the device's kind if nil.
  ///   - memoryBudget: the most that tensors may hold, in bytes; three quarters of the device's memory if nil.
  ///   - laneCount: queues that submissions are spread over.
  ///   - recordsTimeline: have queues tell when commands ran, at a little cost for each.
  ///   - cache: where the device's tuning is kept; nil for nowhere.
  ///   - logger: is told when kernels have to be compiled, and what operations are tuned to.
  /// - Throws: `EngineError` of kind `deviceFailure` if the driver refuses.
  package init(
    _ candidate: DeviceCandidate, variant: TileShape.Variant? = nil, memoryBudget: Int? = nil, laneCount: Int = 2,
    recordsTimeline: Bool = false, cache: ProgramCache? = .standard, logger: Logger = Logger(label: "weft")
  ) throws(EngineError) {
    let device = candidate.device
    let least = TileShape.leastGroup(variant ?? candidate.preferredVariant)
    guard device.maxWorkGroupSize >= least else {
      throw EngineError(
        .deviceFailure,
        "\(device.name) takes \(device.maxWorkGroupSize) work-items a group, where \(least) are needed: use another device, or --variant cpu"
      )
    }
    do {
      let session = try DeviceSession.open(device, profiling: recordsTimeline, logger: logger)
      let shape = TileShape(
        variant ?? candidate.preferredVariant, maxWorkGroupSize: device.maxWorkGroupSize,
        computeUnits: device.computeUnits)
      // A GPU copies while it computes, if it reaches the memory by itself; a CPU device copies like the host.
      let transfers = shape.variant == .gpu ? TransferPool(queue: try session.makeQueue()) : nil
      let timeline = recordsTimeline ? Timeline() : nil
      tuningFile = cache.map { TuningFile(of: device, in: $0) }
      let tuning = DeviceTuning(tuningFile, logger: logger)
      var lanes: [Lane] = []
      for number in 0..<max(1, laneCount) {
        lanes.append(
          Lane(
            queue: try session.makeQueue(profiling: recordsTimeline), programs: session.programs, tiles: shape,
            tuning: tuning, transfers: transfers, number: number, timeline: timeline))
      }
      self.timeline = timeline
      self.lanes = lanes
      self.shape = shape
      pool = BufferPool(context: session.context, budget: memoryBudget ?? device.globalMemory / 4 * 3)
    } catch { throw EngineError(error) }
    quirks = DeviceQuirks(device)
    self.logger = logger
    self.device = candidate.description(variant: shape.variant)
  }

  package var panelWidth: Int { shape.panelWidth }
  package var tiles: TileShape? { shape }
  package var memory: MemoryUse { pool.memory }

  package func makeTensor(_ elementType: ElementType, _ shape: [Int]) throws(EngineError) -> Tensor {
    var count = 1
    for size in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard size > 0, !overflow, product <= Int.max / 8 else {
        throw EngineError(.invalidOperation, "no tensor has the shape \(shape)")
      }
      count = product
    }
    let storage = try DeviceStorage(count * elementType.byteCount, from: pool)
    return Tensor(storage: storage, elementType: elementType, shape: shape)
  }

  package func run(_ submission: Submission) async throws(EngineError) -> [HostArray] {
    var submission = submission
    if submission.precision != .float32, submission.units == nil {
      let precision = submission.precision
      submission.units = await productUnits.units(for: precision) { await self.settleUnits(for: precision) }
    }
    let turn = nextLane.wrappingAdd(1, ordering: .relaxed).oldValue
    return try await lanes[turn % lanes.count].run(submission)
  }
}

/// A device as the process holds it: opened once, when it is first needed, and kept to the end. Backends of one device
/// share its compiled programs.
final class DeviceSession: Sendable {
  let context: Context
  let programs: ProgramStore
  /// The one queue of a device that has to make do with one.
  private let onlyQueue: CommandQueue?

  private static let sessions = Mutex<[Device: DeviceSession]>([:])

  private init(_ device: Device, profiling: Bool, logger: Logger) throws(OpenCLError) {
    context = try Context(device: device)
    let quirks = DeviceQuirks(device)
    programs = ProgramStore(
      context: context, cache: .standard, storesBinaries: !quirks.keepsPrograms || ProgramCache.isForEveryDriver,
      compilesInTurn: quirks.compilesInTurn, logger: logger)
    onlyQueue = quirks.sharesOneQueue ? try CommandQueue(context: context, profiling: profiling) : nil
  }

  /// The session of a device.
  /// - Parameters:
  ///   - device: the device.
  ///   - profiling: whether the one queue of a device that has to make do with one tells times, if the session is new.
  ///   - logger: is told when kernels have to be compiled, if the session is new.
  /// - Returns: the one there is, or a new one.
  /// - Throws: the driver's refusal.
  static func open(_ device: Device, profiling: Bool, logger: Logger) throws(OpenCLError) -> DeviceSession {
    let result = sessions.withLock { sessions in
      Result { () throws(OpenCLError) in
        if let session = sessions[device] { return session }
        FailedReleases.report { error in
          logger.warning("\(error): memory may stay in use until the program ends")
        }
        let session = try DeviceSession(device, profiling: profiling, logger: logger)
        sessions[device] = session
        return session
      }
    }
    return try result.get()
  }

  /// A queue for a lane: one of its own where the device can have several.
  func makeQueue(profiling: Bool = false) throws(OpenCLError) -> CommandQueue {
    guard let onlyQueue else { return try CommandQueue(context: context, profiling: profiling) }
    if profiling && !onlyQueue.isProfiling {
      throw OpenCLError(
        status: .profilingInfoNotAvailable, call: "clCreateCommandQueue",
        detail: "the device's only queue is in use without a timeline")
    }
    return onlyQueue
  }
}

/// What drivers do that the standard does not foresee, and what is done about it: one place, each with its reason.
struct DeviceQuirks: Sendable, Hashable {
  /// All work of the process goes through one queue.
  ///
  /// PoCL (3.1 to 5 at least) loads a kernel anew for a grid wider than any before, and when a run ends it looks for what
  /// to let go by name and group size alone. If another queue is running the kernel meanwhile, it finds the wrong one,
  /// and sooner or later an assertion (`pocl_release_dlhandle_cache`) ends the process. In one queue, kernels never
  /// overlap. All cores work on each kernel, so little is lost.
  let sharesOneQueue: Bool

  /// Programs are built one after the other. PoCL's compiler works for one thread at a time: others would only wait.
  /// Oclgrind's (21.10) is not safe for several threads, which ends the process now and then; so a submission's kernels are
  /// made when all its programs are built.
  let compilesInTurn: Bool

  /// The driver has a cache of its own, and a run asks no binaries of it; `weft warm` does.
  ///
  /// PoCL compiles a kernel when it is first launched, for the size of its groups. A program's binary has each kernel for
  /// groups of any size as well: to hand one out, PoCL compiles everything a second time, which doubles what a first run
  /// costs. It finds what it has compiled in its own cache, by source and options, for which it must read the source.
  let keepsPrograms: Bool

  /// A CPU device whose compiler takes AVX512-BF16's functions, if asked for them, and whose processor has them. Compilers
  /// do not use these by themselves: the LLVM of PoCL 3.1 takes a processor of today for one of 2017.
  let hasAVX512BF16: Bool

  /// The matrix units of NVIDIA's, since the Ampere generation; earlier ones do not pass the test.
  let hasNVIDIAMatrixUnits: Bool

  init(_ device: Device) {
    let isPoCL = device.platformName == "Portable Computing Language"
    sharesOneQueue = isPoCL
    compilesInTurn = isPoCL || device.platformName == "Oclgrind"
    keepsPrograms = isPoCL && environmentVariable("POCL_KERNEL_CACHE") != "0"
    hasAVX512BF16 = device.kind == .cpu && isPoCL && Processor.hasAVX512BF16
    hasNVIDIAMatrixUnits = device.kind == .gpu && device.extensions.contains("cl_nv_device_attribute_query")
  }
}

extension EngineError {
  init(_ error: OpenCLError) {
    self.init(error.status.isExhaustion ? .exhausted : .deviceFailure, error.description)
  }
}
