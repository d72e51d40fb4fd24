internal import Dispatch
package import Engine
package import Kernels
internal import Logging
internal import OpenCL

/// A context's compiled programs, each built once: who asks for one that is being built waits for it.
actor ProgramStore {
  private let context: Context
  private let cache: ProgramCache?
  private let logger: Logger
  private var saysThatItCompiles = true
  private var builds: [KernelProgram: Task<Program, any Error>] = [:]

  init(context: Context, cache: ProgramCache?, logger: Logger) {
    self.context = context
    self.cache = cache
    self.logger = logger
  }

  func program(for spec: KernelProgram) async throws(EngineError) -> Program {
    let build: Task<Program, any Error>
    if let running = builds[spec] {
      build = running
    } else {
      let (context, cache) = (context, cache)
      build = Task {
        try await compile(spec, context: context, cache: cache) { Task { await self.noteCompiling() } }
      }
      builds[spec] = build
    }
    do {
      return try await build.value
    } catch {
      // Another submission may have begun to build it again.
      if builds[spec] == build { builds[spec] = nil }
      throw (error as? EngineError) ?? EngineError(.deviceFailure, "\(error)")
    }
  }

  /// Says once why nothing seems to happen.
  private func noteCompiling() {
    guard saysThatItCompiles else { return }
    saysThatItCompiles = false
    if cache?.isDistrusted == true {
      logger.notice("an earlier run ended while its driver used compiled kernels for the first time: not used again")
    }
    let kept = cache == nil ? "" : "; the next run finds them compiled"
    logger.notice("compiling kernels for \(context.device.name)\(kept)")
  }
}

/// Compiling takes up to a second, so it stays off the threads that tasks share.
private func compile(
  _ spec: KernelProgram, context: Context, cache: ProgramCache?, beforeCompiling: @escaping @Sendable () -> Void
) async throws(EngineError) -> Program {
  let result: Result<Program, EngineError> = await withCheckedContinuation { continuation in
    DispatchQueue.global().async {
      continuation.resume(
        returning: Result { () throws(EngineError) in
          func build() throws -> Program {
            try Program.build(
              name: spec.source.name, source: try spec.source.flattened(), options: spec.options, context: context,
              cache: cache, beforeCompiling: beforeCompiling)
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
