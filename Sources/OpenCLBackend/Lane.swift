internal import Dispatch
internal import Engine
internal import OpenCL

/// An in-order queue, and kernels of its own: setting a kernel's arguments is not safe from two places.
///
/// Submissions may overlap on a lane: while one is awaited the next is encoded behind it.
actor Lane {
  private let queue: CommandQueue
  private let programs: ProgramStore
  private let tiles: TileShape
  private let tuning: DeviceTuning
  private let transfers: TransferPool?
  private let number: Int
  private let timeline: Timeline?
  private var kernels: [KernelProgram: KernelBox] = [:]

  /// - Parameters:
  ///   - queue: where commands go; lanes may share one, for each submission ends with a marker of its own.
  ///   - programs: of the queue's context.
  ///   - tiles: what operations are launched with.
  ///   - tuning: how operations cut them.
  ///   - transfers: where uploads and downloads have their memory; nil for plain memory.
  ///   - number: what the timeline calls it.
  ///   - timeline: is told when commands ran, on a queue that profiles; nil if none is.
  init(
    queue: CommandQueue, programs: ProgramStore, tiles: TileShape, tuning: DeviceTuning, transfers: TransferPool?,
    number: Int = 0, timeline: Timeline? = nil
  ) {
    self.queue = queue
    self.programs = programs
    self.tiles = tiles
    self.tuning = tuning
    self.transfers = transfers
    self.number = number
    self.timeline = timeline
  }

  func run(_ submission: Submission) async throws(EngineError) -> [HostArray] {
    var launches: [KernelLaunch] = []
    var boxes: [KernelBox] = []
    let plans = submission.operations.map { operation in
      let tiles = tiles.multiplying(at: submission.precision, by: submission.units ?? .float32)
      let shape = submission.choice.map { tiles.choosing($0) } ?? tuning.tiles(for: operation, tiles)
      return (operation: operation, shape: shape, launches: operation.launches(shape))
    }
    let missing = plans.flatMap { $0.launches.map(\.program) }.filter { kernels[$0] == nil }
    do throws(EngineError) {
      for plan in plans { for launch in plan.launches { try launch.validate() } }
      if !missing.isEmpty {
        await programs.begin(missing)
        // All are built before a kernel is made of one; see `DeviceQuirks.compilesInTurn`.
        for program in missing { _ = try await programs.program(for: program) }
      }
      for plan in plans {
        let (own, ownBoxes) = try await fitted(plan.launches, of: plan.operation, plan.shape)
        launches += own
        boxes += ownBoxes
      }
    } catch {
      // Nothing has run: the kernels that there are can be used as far as is known.
      judge(boxes, areUsable: true)
      await programs.settle(missing)
      throw error
    }

    // From here to the marker nothing is suspended, so the kernels' arguments are this submission's. Commands of another lane may
    // stand between ours where lanes share a queue; they touch nothing of ours.
    let staging = Staging(from: transfers)
    let times = timeline?.submission(onLane: number)
    do throws(EngineError) {
      let done: EventBox
      do { done = try encode(submission, zip(launches, boxes), staging, times) } catch {
        // Commands that are in the queue already use the staging memory and the tensors. They were encoded by this thread,
        // and Oclgrind runs them in the one that waits: so it is this one.
        if (try? queue.finish()) == nil { giveUp(staging, submission) }
        throw error
      }
      do { try await done.completion().get() } catch {
        await release(staging, submission)
        throw EngineError(error)
      }
    } catch {
      // A device without room would refuse any kernel, and a caller's mistake is no kernel's.
      judge(boxes, areUsable: error.kind == .exhausted || error.kind == .invalidOperation)
      throw error
    }
    judge(boxes, areUsable: true)
    times?.finish()
    let results = zip(submission.downloads, staging.downloads).map { download, bytes in
      HostArray(download.tensor.elementType, copying: UnsafeRawBufferPointer(bytes))
    }
    // The device was using their memory until now.
    withExtendedLifetime((submission, staging)) {}
    return results
  }

  /// An operation's launches with their kernels, in tiles that the device takes: how many work-items of a kernel fit into a
  /// group depends on its registers, and only the compiled kernel knows.
  private func fitted(
    _ launches: [KernelLaunch], of operation: any DeviceOperation, _ shape: TileShape
  ) async throws(EngineError) -> ([KernelLaunch], [KernelBox]) {
    var (launches, shape) = (launches, shape)
    while true {
      let boxes = try await kernels(for: launches)
      let fits = zip(launches, boxes).allSatisfy { $0.groupSize <= $1.kernel.workGroupLimit }
      guard !fits, let smaller = shape.smaller else { return (launches, boxes) }
      // They will not run; the driver could load them.
      judge(boxes, areUsable: true)
      shape = smaller
      launches = operation.launches(shape)
      for launch in launches { try launch.validate() }
    }
  }

  /// The kernel of each launch, looked up once: hashing a spec costs as much as setting a kernel's arguments.
  private func kernels(for launches: [KernelLaunch]) async throws(EngineError) -> [KernelBox] {
    var boxes: [KernelBox] = []
    boxes.reserveCapacity(launches.count)
    do throws(EngineError) {
      for launch in launches {
        if let box = kernels[launch.program] {
          boxes.append(box)
          continue
        }
        let program = try await programs.program(for: launch.program)
        do throws(OpenCLError) {
          let box = KernelBox(try program.makeKernel(launch.program.entry), of: program)
          // Another submission may have made it while this one waited; either will do.
          kernels[launch.program] = box
          boxes.append(box)
        } catch {
          // The driver has not ended the process, and says what is wrong.
          if error.status.isExhaustion { program.pass() } else { program.fail() }
          throw EngineError(error)
        }
      }
    } catch {
      // Nothing has run: the kernels that there are can be used as far as is known.
      judge(boxes, areUsable: true)
      throw error
    }
    return boxes
  }

  /// Settles whether the binaries of these kernels can be used, for those that come from the cache and have not run before.
  private func judge(_ boxes: [KernelBox], areUsable: Bool) {
    for box in boxes where !box.isJudged {
      box.isJudged = true
      if areUsable { box.program.pass() } else { box.program.fail() }
    }
  }

  /// Frees what a failed submission used, once the device has let go of it.
  ///
  /// A failure can also mean that completion could not be learnt: the device may still be at work. If it cannot even be
  /// waited for, the memory is given up, because reusing it would be worse.
  private func release(_ staging: Staging, _ submission: Submission) async {
    let isDone = await withCheckedContinuation { continuation in
      DispatchQueue.global().async { [queue] in
        continuation.resume(returning: (try? queue.finish()) != nil)
      }
    }
    if !isDone { giveUp(staging, submission) }
  }

  /// Leaves memory that the device may still use to the end of the process.
  private func giveUp(_ staging: Staging, _ submission: Submission) {
    _ = Unmanaged.passRetained(staging)
    _ = Unmanaged.passRetained(RetainedSubmission(submission))
  }

  private func encode(
    _ submission: Submission, _ launches: Zip2Sequence<[KernelLaunch], [KernelBox]>, _ staging: Staging,
    _ times: SubmissionTimes?
  ) throws(EngineError) -> EventBox {
    do {
      for upload in submission.uploads {
        let bytes = try staging.copy(upload.elements)
        let event = try queue.enqueueWrite(bytes, to: try buffer(of: upload.tensor))
        if let times { times.add(.upload, bytes: bytes.count, event) }
      }
      for (launch, box) in launches { try enqueue(launch, box, times) }
      for download in submission.downloads {
        let bytes = try staging.reserve(download.count * download.tensor.elementType.byteCount)
        let event = try queue.enqueueRead(try buffer(of: download.tensor), into: bytes)
        if let times { times.add(.download, bytes: bytes.count, event) }
      }
      return EventBox(try queue.marker())
    } catch let error as OpenCLError {
      throw EngineError(error)
    } catch let error as EngineError {
      throw error
    } catch {
      throw EngineError(.deviceFailure, "\(error)")
    }
  }

  private func enqueue(_ launch: KernelLaunch, _ box: KernelBox, _ times: SubmissionTimes?) throws {
    for (index, argument) in launch.arguments.list.enumerated() {
      switch argument.value {
      case .int(let value):
        guard let value = Int32(exactly: value) else {
          throw EngineError(
            .invalidOperation,
            "\(launch.program.entry): \(argument.name) is \(value), which does not fit the 32 bits of its arguments")
        }
        try box.kernel.set(index, value)
      case .float(let value): try box.kernel.set(index, value)
      case .tensor(let tensor): try box.kernel.set(index, try buffer(of: tensor))
      }
    }
    guard let times else { return try queue.launch(box.kernel, global: launch.global, local: launch.local) }
    times.add(launch.program, try queue.enqueue(box.kernel, global: launch.global, local: launch.local))
  }

  private func buffer(of tensor: Tensor) throws(EngineError) -> Buffer {
    guard let storage = tensor.storage as? DeviceStorage else {
      throw EngineError(.invalidOperation, "a tensor of another device was given to an OpenCL device")
    }
    return storage.buffer
  }
}

/// Keeps the tensors of a submission of which it cannot be learnt whether it has ended.
private final class RetainedSubmission {
  private let submission: Submission
  init(_ submission: Submission) { self.submission = submission }
}

/// Lets the lane keep move-only kernels in a dictionary.
private final class KernelBox {
  var kernel: Kernel
  let program: Program
  /// Whether the program's binary can be used has been settled.
  var isJudged = false

  init(_ kernel: consuming Kernel, of program: Program) {
    self.kernel = kernel
    self.program = program
  }
}

private final class EventBox: Sendable {
  private let event: Event
  init(_ event: consuming Event) { self.event = event }

  func completion() async -> Result<Void, OpenCLError> {
    do {
      try await event.completion()
      return .success(())
    } catch { return .failure(error) }
  }
}
