import ArgumentParser
import Conformance
import Engine
import Foundation

struct ConformanceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "conformance",
    abstract: "Check that a device computes right.",
    usage: "weft conformance [<options>]",
    discussion: """
      Runs every kernel on inputs made to catch mistakes, and compares with plain loops in double precision: sizes \
      around the edges of tiles, overflowing lists, bad arguments, repeated and concurrent runs. With --verbose it lists \
      every case, not only those that failed or were skipped. Exit status 1 if a case failed.
      """)

  @OptionGroup var tiles: TileOptions

  @Flag(help: "Only tiny cases, which still reach every kernel: for interpreters such as Oclgrind.")
  var small = false

  @Option(help: ArgumentHelp("Only the case of this name, or those whose name contains it.", valueName: "text"))
  var filter: String?

  @Option(
    help: ArgumentHelp(
      "Write what the kernels of --variant are compiled from into this new folder, instead of running them: sources with their includes put in, and programs.json, for reading and static checks.",
      valueName: "folder"))
  var programs: String?

  @Option(
    help: ArgumentHelp(
      "With --programs: for a device whose work-groups have at most n work-items (256 if not given).", valueName: "n"))
  var workGroup: Int?

  func validate() throws {
    if programs != nil && tiles.variant == nil { throw ValidationError("--programs needs --variant") }
    if programs == nil && workGroup != nil { throw ValidationError("--work-group belongs to --programs") }
    if let workGroup, let variant = tiles.variant, workGroup < TileShape.leastGroup(variant) {
      throw ValidationError("--work-group must be at least \(TileShape.leastGroup(variant)) with these tiles")
    }
  }

  func run() async throws {
    if let programs, let variant = tiles.variant {
      let launches = try await ConformanceKit.launches(
        with: TileShape(variant, maxWorkGroupSize: workGroup ?? 256), small: small, filter: filter)
      if launches.isEmpty { throw ValidationError("no case with '\(filter ?? "")' in its name launches a kernel") }
      try ProgramFolder.write(launches, to: programs)
      return
    }
    await OneThread.takeTasksUnderOclgrind()
    let engine = try tiles.engine()
    let terminal = Terminal(describing: STDERR_FILENO)
    let listsAll = tiles.device.verbose
    let outcomes = await ConformanceKit.run(on: engine, small: small, filter: filter) { done, total, outcome in
      if terminal.canRedraw { note("\u{1B}[1A\u{1B}[2K\(done)/\(total) \(outcome.name)") }
      if listsAll {
        print(Self.line(outcome))
        // What has run is known, should the run be ended before its end.
        fflush(nil)
      }
    }
    if !listsAll {
      for outcome in outcomes where outcome.verdict != .passed { print(Self.line(outcome)) }
    }
    let failed = outcomes.filter { $0.failure != nil }.count
    let skipped = outcomes.filter { $0.skip != nil }.count
    print(
      "\(outcomes.count - failed - skipped) passed, \(failed) failed, \(skipped) skipped on \(engine.device.name), \(engine.device.variant) tiles"
    )
    if outcomes.isEmpty { throw ValidationError("no case has a name with '\(filter ?? "")' in it") }
    if failed > 0 { throw ExitCode(ExitStatus.failure.rawValue) }
  }

  private static func line(_ outcome: Outcome) -> String {
    switch outcome.verdict {
    case .passed: "passed   \(outcome.name)"
    case .failed(let reason): "FAILED   \(outcome.name): \(reason)"
    case .skipped(let reason): "skipped  \(outcome.name): \(reason)"
    }
  }
}
