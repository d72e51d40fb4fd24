internal import Dispatch
package import Engine
package import Kernels
internal import Logging
internal import OpenCL

/// A context's compiled programs, each built once: who asks for one that is being built waits for it.
actor ProgramStore {
  private let context: Context
  private let cache: ProgramCache?
  private let storesBinaries: Bool
  private let logger: Logger
  /// Where the compiler works: compiling takes up to a second, so it stays off the threads that tasks share.
  private let compilers: DispatchQueue
  private var builds: [KernelProgram: Task<Program, any Error>] = [:]
  /// Programs that are built or being built.
  var buildCount: Int { builds.count }
  /// Builds that have not ended.
  private var pending = 0
  /// How often builds have begun when none was pending.
  private var rounds = 0
  private var saysWhatIsAwaited = true
  private var saysDistrust = true

  /// What a start may take before it is said what takes so long: programs that have been compiled before are there by then.
  private static let patience = Duration.milliseconds(400)

  /// - Parameters:
  ///   - context: the device's.
  ///   - cache: where binaries are kept; nil for nowhere.
  ///   - storesBinaries: whether what is compiled goes there.
  ///   - compilesInTurn: whether its driver is given one program at a time.
  ///   - logger: is told what takes long.
  init(context: Context, cache: ProgramCache?, storesBinaries: Bool, compilesInTurn: Bool, logger: Logger) {
    compilers = compilesInTurn ? DispatchQueue(label: "weft.compiler", qos: .userInitiated) : .global()
    self.context = context
    self.cache = cache
    self.storesBinaries = storesBinaries
    self.logger = logger
  }

  /// Begins to build what is not there yet, all at once: a driver that can builds them side by side.
  func begin(_ specs: [KernelProgram]) {
    for spec in specs where builds[spec] == nil { _ = build(spec) }
  }

  /// A program, when it is built.
  func program(for spec: KernelProgram) async throws(EngineError) -> Program {
    let build = builds[spec] ?? build(spec)
    do {
      return try await build.value
    } catch {
      // Another submission may have begun to build it again.
      if builds[spec] == build { builds[spec] = nil }
      throw (error as? EngineError) ?? EngineError(.deviceFailure, "\(error)")
    }
  }

  /// A submission that asked for these has failed before any of them ran. What is built can be used as far as is known, and
  /// must not stay on trial; what is not is built again when it is next asked for.
  func settle(_ specs: [KernelProgram]) async {
    for spec in specs {
      guard let build = builds[spec] else { continue }
      do { try await build.value.pass() } catch {
        if builds[spec] == build { builds[spec] = nil }
      }
    }
  }

  private func build(_ spec: KernelProgram) -> Task<Program, any Error> {
    noteBuilding()
    pending += 1
    let (context, cache, stores, compilers) = (context, cache, storesBinaries, compilers)
    let build = Task {
      let result: Result<Program, any Error>
      do {
        result = .success(try await compile(spec, context: context, cache: cache, stores: stores, on: compilers))
      } catch {
        result = .failure(error)
      }
      pending -= 1
      return try result.get()
    }
    builds[spec] = build
    return build
  }

  /// Says once why nothing seems to happen, if it takes so long that one may ask.
  private func noteBuilding() {
    guard saysWhatIsAwaited, pending == 0 else { return }
    if saysDistrust, cache?.isDistrusted == true {
      saysDistrust = false
      logger.notice("an earlier run ended while its driver used compiled kernels for the first time: not used again")
    }
    rounds += 1
    let round = rounds
    Task {
      try await Task.sleep(for: Self.patience)
      guard saysWhatIsAwaited, pending > 0, rounds == round else { return }
      saysWhatIsAwaited = false
      logger.notice("building kernels for \(context.device.name), once: this takes seconds")
    }
  }
}

private func compile(
  _ spec: KernelProgram, context: Context, cache: ProgramCache?, stores: Bool, on compilers: DispatchQueue
) async throws(EngineError) -> Program {
  let result: Result<Program, EngineError> = await withCheckedContinuation { continuation in
    compilers.async {
      continuation.resume(
        returning: Result { () throws(EngineError) in
          func build() throws -> Program {
            try Program.build(
              name: spec.source.name, source: try spec.source.flattened(), options: spec.options, context: context,
              cache: cache, storesBinary: stores)
          }
          do {
            // PoCL's own cache can fail while another process fills it: a second try finds it filled.
            do { return try build() } catch let error as OpenCLError where error.status == .buildProgramFailure {
              return try build()
            }
          } catch let error as OpenCLError {
            throw EngineError(error)
          } catch {
            throw EngineError(.deviceFailure, "\(error)")
          }
        })
    }
  }
  return try result.get()
}

extension KernelSource {
  /// The text with all includes put in.
  package func flattened() throws(KernelSources.Missing) -> String {
    try KernelSources.flattened(
      KernelSources.Source(name, text: text),
      headers: headers.mapValues { KernelSources.Source($0.name, text: $0.text) })
  }
}
