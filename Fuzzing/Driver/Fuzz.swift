import CFuzzer
import Foundation

/// Runs one target under libFuzzer: `fuzz TARGET [libFuzzer's arguments]`; without a target it lists them.
@main
struct Fuzz {
  /// C calls back without a context.
  private nonisolated(unsafe) static var target: FuzzTarget?

  static func main() {
    guard CommandLine.arguments.count > 1,
      let target = FuzzTarget.all.first(where: { $0.name == CommandLine.arguments[1] })
    else {
      for target in FuzzTarget.all { print(target.name) }
      exit(CommandLine.arguments.count > 1 ? 64 : 0)
    }
    Self.target = target
    var count = CommandLine.argc - 1
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv + 1
    // The program's name, which libFuzzer passes over, and starts again where a crash is to be made smaller.
    CommandLine.unsafeArgv[1] = CommandLine.unsafeArgv[0]
    exit(
      LLVMFuzzerRunDriver(&count, &arguments) { data, count in
        let input = Array(UnsafeBufferPointer(start: data, count: count))
        do { try Fuzz.target?.run(input) } catch { fatalError("\(error)") }
        return 0
      })
  }
}
